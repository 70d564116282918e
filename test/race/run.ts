// One race: rounds of reads, writes and strikes, each followed by a second of silence and a look at every key in every
// process.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { closeRedis, connectRedis } from '../../src/redis/index.ts'
import { type Random, seededRandom } from '../../src/venues/simulation/random.ts'
import { openProxy, type RedisProxy } from '../chaos/proxy.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import type { CacheName } from './caches.ts'
import { oldest, type Stale } from './staleness.ts'
import type { FromWorker, Notes, ToWorker, WorkerOptions } from './worker.ts'

export interface RaceOptions {
  readonly cache: CacheName
  readonly operations: number
  readonly rounds: number
  readonly processes: number
  readonly keys: number
  readonly seed: number
  /** See `CacheOptions.index`. */
  readonly index?: string
  readonly onRound: (round: Round) => void
}

export interface Round {
  readonly round: number
  readonly wrong: number
  readonly stale: Stale | undefined
  readonly loads: number
}

export interface RaceResult {
  readonly wrong: number
  readonly checked: number
  readonly stale: Stale | undefined
  readonly strikes: Readonly<Partial<Record<Strike, number>>>
  readonly loads: number
  readonly tookMs: number
}

export const STRIKES = [
  'kill subscribers',
  'lose some messages',
  'lose all messages',
  'half-open',
  'cut',
  'late answers',
  'flush Redis',
  'kill Redis',
  'stop a process',
] as const
export type Strike = (typeof STRIKES)[number]

const HOUR_MS = 3_600_000
const SILENCE_MS = 1_000

interface Member {
  readonly child: ChildProcess
  readonly proxy: RedisProxy
  send(message: ToWorker): void
  /** The next message of that kind. */
  hears<S extends FromWorker['said']>(said: S): Promise<Extract<FromWorker, { said: S }>>
}

export async function runRace(options: RaceOptions): Promise<RaceResult> {
  const { operations, rounds, processes, keys, seed, onRound } = options
  const began = performance.now()
  const [redis, truth] = await Promise.all([startRedis(['--appendonly', 'no']), startRedis()])
  const database = connectRedis(truth.url, 'jobs')
  const members = await Promise.all(
    Array.from({ length: processes }, (_, i) =>
      startMember(redis.port, {
        ...{ cache: options.cache, truthUrl: truth.url, keys, seed: seed * 1_000 + i },
        ...(options.index !== undefined && { index: options.index }),
        // One process is an hour ahead, and one behind.
        clockAheadMs: i === 1 ? HOUR_MS : i === 2 ? -HOUR_MS : 0,
      }),
    ),
  )
  const random = seededRandom(seed)
  const strikes: Partial<Record<Strike, number>> = {}
  const total = { wrong: 0, checked: 0, loads: 0 }
  let worst: Stale | undefined
  try {
    for (let round = 1; round <= rounds; round++) {
      const share = Math.ceil(operations / rounds / processes)
      const over = new AbortController()
      const striking = strike(members, redis, random, strikes, over.signal)
      const done = await Promise.all(
        members.map((member) => ask(member, { do: 'run', operations: share }, 'done')),
      )
      over.abort()
      await striking
      await sleep(SILENCE_MS)
      const wrong = await countWrong(members, keys, (key) => database.get(key))
      const stale = oldest(done satisfies Notes[])
      if ((stale?.ms ?? 0) > (worst?.ms ?? 0)) worst = stale
      const loads = done.reduce((sum, one) => sum + one.loads, 0)
      total.wrong += wrong
      total.checked += keys * processes
      total.loads = loads
      onRound({ round, wrong, stale, loads })
    }
  } finally {
    for (const { child } of members) child.kill('SIGKILL')
    await Promise.all(members.map(({ proxy }) => proxy.stop()))
    await closeRedis(database)
    await Promise.all([redis.stop(), truth.stop()])
  }
  return { ...total, stale: worst, strikes, tookMs: performance.now() - began }
}

async function startMember(port: number, options: Omit<WorkerOptions, 'url'>): Promise<Member> {
  const proxy = await openProxy(port)
  const url = new URL('./worker.ts', import.meta.url).pathname
  const child = fork(url, [JSON.stringify({ ...options, url: proxy.url } satisfies WorkerOptions)])
  const killIt = () => void child.kill('SIGKILL')
  process.once('exit', killIt)
  child.once('exit', () => process.off('exit', killIt))
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`a process of the race ended: ${signal ?? code}`)
  })
  ended.catch(() => {})
  const member: Member = {
    ...{ child, proxy },
    send: (message) => void child.send(message),
    async hears(said) {
      for (;;) {
        const [message] = (await Promise.race([once(child, 'message'), ended])) as [FromWorker]
        if (message.said === said) return message as never
      }
    },
  }
  await member.hears('ready')
  return member
}

function ask<S extends FromWorker['said']>(member: Member, message: ToWorker, said: S) {
  const answer = member.hears(said)
  member.send(message)
  return answer
}

/** Answers that are not what the database holds. */
async function countWrong(
  members: readonly Member[],
  keys: number,
  read: (key: string) => Promise<string | null>,
): Promise<number> {
  const truths = await Promise.all(
    Array.from({ length: keys }, async (_, key) => Number((await read(`k${key}`)) ?? 0)),
  )
  const seen = await Promise.all(members.map((member) => ask(member, { do: 'look' }, 'seen')))
  return seen.flatMap(({ versions }) => versions.filter((version, key) => version !== truths[key])).length
}

/** One strike after the other until the round is over; everything is healed at the end. */
async function strike(
  members: readonly Member[],
  redis: TestRedis,
  random: Random,
  counts: Partial<Record<Strike, number>>,
  over: AbortSignal,
): Promise<void> {
  const pause = (ms: number) => sleep(ms, undefined, { signal: over }).catch(() => undefined)
  const admin = connectRedis(redis.url, 'jobs')
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random.uniform() * of.length)]!
  const strikes: Record<Strike, (member: Member) => Promise<unknown>> = {
    'kill subscribers': () => admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
    async 'lose some messages'(member) {
      member.send({ do: 'lose', part: 0.1 })
      await pause(1_000)
      member.send({ do: 'lose', part: 0 })
    },
    async 'lose all messages'(member) {
      member.send({ do: 'lose', part: 1 })
      await pause(1_000)
      member.send({ do: 'lose', part: 0 })
    },
    async 'half-open'({ proxy }) {
      proxy.swallow('down')
      await pause(600)
      proxy.heal()
    },
    cut: async ({ proxy }) => proxy.cut(random.uniform() < 0.5),
    async 'late answers'({ proxy }) {
      proxy.delay(20 + random.uniform() * 60)
      await pause(600)
      proxy.heal()
    },
    'flush Redis': () => admin.flushall(),
    // It comes back with what it held when the strike before began.
    'kill Redis': () => redis.restart(),
    async 'stop a process'({ child }) {
      child.kill('SIGSTOP')
      await pause(700)
      child.kill('SIGCONT')
    },
  }
  while (!over.aborted) {
    const name = pick(STRIKES)
    counts[name] = (counts[name] ?? 0) + 1
    await strikes[name](pick(members))
    if (name !== 'flush Redis') await admin.call('SAVE').catch(() => undefined)
    await pause(random.exponential() * 300)
  }
  await eventually(() => admin.ping().then(() => true))
  await closeRedis(admin)
}
