// What locks cost and how fast they change hands: `node bench/locks.ts [--rounds n] [--json]`. Ours and bare redlock
// 4.2 take turns in one process, with the same kind of clients, on servers that are started for the run.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Redlock from 'redlock'
import { lockNames } from '../src/catalog/index.ts'
import { type Database, migrate, openDatabase } from '../src/db/index.ts'
import { systemClock } from '../src/kernel/index.ts'
import { openClaims } from '../src/locks/claim.ts'
import { type Held, issueFence, type Locks, openLocks } from '../src/locks/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../src/redis/index.ts'
import { eventually } from '../test/support/eventually.ts'
import { startRedis, type TestRedis } from '../test/support/redis.ts'
import { compete } from './rounds.ts'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, json: { type: 'boolean', default: false } },
})
const rounds = Number(options.rounds)

interface Stage {
  readonly servers: readonly TestRedis[]
  readonly database: Database
}

interface Line {
  readonly what: string
  readonly who: string
  readonly [figure: string]: string | number
}

/** Everything a contestant needs on the first `count` servers, and its end. */
interface Side {
  readonly clients: readonly Redis[]
  readonly redlock: Redlock
  readonly one: Locks
  readonly two: Locks
  close(): Promise<void>
}

const now = () => performance.now()
const round = (figure: number, digits = 2) => Number(figure.toFixed(digits))

function say(line: Line): void {
  const { what, who, ...figures } = line
  const shown = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`)
  process.stdout.write(
    options.json ? `${JSON.stringify(line)}\n` : `${what.padEnd(34)} ${who.padEnd(34)} ${shown.join('  ')}\n`,
  )
}

async function openSide({ servers, database }: Stage, count: number): Promise<Side> {
  const urls = servers.slice(0, count).map(({ url }) => url)
  const clients = urls.map((url) => connectRedis(url, 'lock', { name: 'bench' }))
  await Promise.all(clients.map((client) => ready(client)))
  const open = () => openLocks({ urls, database, clock: systemClock, names: lockNames })
  const [one, two] = [open(), open()]
  return {
    clients,
    redlock: new Redlock(clients as unknown as Redlock.CompatibleRedisClient[], { retryCount: 10_000 }),
    one,
    two,
    async close() {
      await Promise.all([one.close(), two.close(), ...clients.map(closeRedis)])
    },
  }
}

/** Uncontended: so many times in a row by one caller, answered as pairs of acquire and release a second. */
async function uncontended(stage: Stage, count: number): Promise<void> {
  const side = await openSide(stage, count)
  const claims = openClaims({ clients: side.clients, clock: systemClock, patienceMs: 250, onError: () => {} })
  const repeat = (name: string, times: number, turn: (resource: string) => Promise<unknown>) => ({
    name,
    async run() {
      const startedAt = now()
      for (let n = 0; n < times; n++) await turn(`free:${n % 16}`)
      return (times / (now() - startedAt)) * 1_000
    },
  })
  const standings = await compete(
    [
      repeat('redlock', 100, async (resource) => (await side.redlock.lock(resource, 10_000)).unlock()),
      repeat('claim (redlock, queue, wake)', 100, async (resource) => {
        const attempt = await claims.attempt(lockNames.key(resource), 10_000)
        if ('claim' in attempt) await attempt.claim.release()
      }),
      repeat('hold (and a token from SQLite)', 50, (resource) => side.one.hold(resource, async () => 1)),
      repeat('the token alone', 50, (resource) =>
        stage.database.write((tx) => issueFence(tx, resource, 'bench')),
      ),
    ],
    // Many short rounds: a machine that others use too changes its pace within a second.
    rounds * 12,
  )
  for (const { name, median, least, most } of standings) {
    const ratio = round(median / standings[0]!.median)
    const range = `${Math.round(least)}-${Math.round(most)}`
    say({ what: `uncontended, ${count} server(s), /s`, who: name, median: Math.round(median), range, ratio })
  }
  await side.close()
}

/** From the last moment of the holder's work to the first of the next one's, ms. */
async function handOff(stage: Stage, count: number): Promise<void> {
  const side = await openSide(stage, count)
  const [ours, theirs]: number[][] = [[], []]
  const inQueue = (resource: string) =>
    eventually(() => side.clients[0]!.exists(`${lockNames.key(resource)}:queue`))
  for (let turn = 0; turn < rounds * 5; turn++) {
    const resource = `handed:${turn}`
    let [releasedAt, waiting]: [number, Promise<unknown>] = [0, Promise.resolve()]
    await side.one.hold(resource, async () => {
      const next = async () => void ours!.push(now() - releasedAt)
      waiting = side.two.hold(resource, next, { waitMs: 30_000 })
      await inQueue(resource)
      releasedAt = now()
    })
    await waiting
    const lock = await side.redlock.lock(`polled:${turn}`, 10_000)
    const polling = side.redlock.lock(`polled:${turn}`, 10_000)
    // Released somewhere within the pause between two polls.
    await systemClock.sleep(50 + ((turn * 37) % 200))
    const unlockedAt = now()
    await lock.unlock()
    const next = await polling
    theirs!.push(now() - unlockedAt)
    await next.unlock()
  }
  say({ what: `hand-off, ${count} server(s), ms`, who: 'hold (with its token)', ...spread(ours!) })
  say({ what: `hand-off, ${count} server(s), ms`, who: "redlock's polling", ...spread(theirs!) })
  await side.close()
}

/** How many commands the servers run for one release while so many wait. */
async function crowd(stage: Stage): Promise<void> {
  const side = await openSide(stage, 1)
  const calls = async () => {
    const stats = await side.clients[0]!.info('commandstats')
    const counts = [...stats.matchAll(/^cmdstat_(?:evalsha|eval|publish|subscribe):calls=(\d+)/gm)]
    return counts.reduce((sum, [, calls]) => sum + Number(calls), 0)
  }
  for (const waiters of [2, 100]) {
    const resource = `crowded:${waiters}`
    const marks: { at: number; calls: number }[] = []
    let waiting: Promise<unknown>[] = []
    await side.one.hold(resource, async () => {
      const mark = async () => void marks.push({ at: now(), calls: await calls() })
      waiting = Array.from({ length: waiters }, () => side.two.hold(resource, mark, { waitMs: 60_000 }))
      const queue = `${lockNames.key(resource)}:queue`
      await eventually(async () => (await side.clients[0]!.zcard(queue)) === waiters)
    })
    await Promise.all(waiting)
    const [first, last] = [marks[0]!, marks.at(-1)!]
    const turns = waiters - 1
    say({
      what: `a crowd of ${waiters}`,
      who: 'hold (with its token)',
      'calls a turn': round((last.calls - first.calls) / turns),
      'ms a turn': round((last.at - first.at) / turns),
    })
  }
  await side.close()
}

/** What an acquisition and its release cost just after the third server stood still, ms. */
async function frozenThird(stage: Stage): Promise<void> {
  const side = await openSide(stage, 3)
  const [ours, theirs]: number[][] = [[], []]
  const timed = async (figures: number[], work: () => Promise<unknown>) => {
    const startedAt = now()
    await work()
    figures.push(now() - startedAt)
  }
  const third = stage.servers[2]!
  for (let turn = 0; turn < rounds; turn++) {
    await side.one.hold(`thawed:${turn}`, async () => 1)
    await eventually(async () => (await side.clients[2]!.ping()) === 'PONG')
    third.pause()
    try {
      await timed(ours!, () => side.one.hold(`third:${turn}`, async () => 1))
      await timed(theirs!, async () => (await side.redlock.lock(`third:bare:${turn}`, 10_000)).unlock())
    } finally {
      third.resume()
    }
  }
  say({ what: 'third of 3 frozen, ms', who: 'hold (with its token)', ...spread(ours!) })
  say({ what: 'third of 3 frozen, ms', who: 'redlock', ...spread(theirs!) })
  await side.close()
}

/**
 * The only server freezes under several holders. When each is told, against the deadline it was promised, and
 * against the end of its key as the server itself had noted it before it froze.
 */
async function frozenRedis(stage: Stage): Promise<void> {
  const ttlMs = 400
  const side = await openSide(stage, 1)
  const [late, early, plain]: number[][] = [[], [], []]
  const extended = new Set<string>()
  side.one.events.on('extended', ({ resource }) => extended.add(resource))
  for (let turn = 0; turn < rounds * 3; turn++) {
    let holding = 0
    const holders = Array.from({ length: 8 }, (_, n) => {
      const resource = `frozen:${turn}:${n}`
      const work = async ({ signal, remainingMs }: Held) => {
        const endsAt = Number(await side.clients[0]!.call('PEXPIRETIME', lockNames.key(resource)))
        extended.delete(resource)
        holding++
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => {
            late!.push(-remainingMs())
            // Extended since, the key ends later than it was noted.
            if (!extended.has(resource)) early!.push(endsAt - (performance.timeOrigin + now()))
            resolve()
          })
        })
      }
      return side.one.hold(resource, work, { ttlMs })
    })
    await eventually(() => holding === 8)
    stage.servers[0]!.pause()
    const dueAt = now() + ttlMs / 2
    await Promise.all([...holders, systemClock.sleep(ttlMs / 2).then(() => plain!.push(now() - dueAt))])
    stage.servers[0]!.resume()
    await eventually(async () => (await side.clients[0]!.ping()) === 'PONG')
  }
  const what = 'frozen Redis, ms'
  say({ what, who: 'told after the promised deadline', n: late!.length, ...spread(late!) })
  // How late this machine is with a timer that has nothing to do with locks.
  say({ what, who: 'a plain timer is late', n: plain!.length, ...spread(plain!) })
  say({
    what,
    who: 'told before the key ended',
    n: early!.length,
    least: round(Math.min(...early!)),
    ...spread(early!),
  })
  await side.close()
}

function spread(figures: number[]): Record<'p50' | 'p99' | 'max', number> {
  const sorted = figures.sort((a, b) => a - b)
  const at = (share: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!)
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
const path = join(folder, 'locks.db')
await migrate({ driver: 'sqlite', path, clock: systemClock })
const stage: Stage = {
  servers: await Promise.all([startRedis(), startRedis(), startRedis()]),
  database: openDatabase({ driver: 'sqlite', path, clock: systemClock }),
}
try {
  await uncontended(stage, 1)
  await uncontended(stage, 3)
  await handOff(stage, 1)
  await handOff(stage, 3)
  await crowd(stage)
  await frozenThird(stage)
  await frozenRedis(stage)
} finally {
  await stage.database.close()
  await Promise.all(stage.servers.map((server) => server.stop()))
  rmSync(folder, { recursive: true, force: true })
}
