// One chaos run from start to verdict: publishers and workers at work, strikes from the seed, then quiet, then the books.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bus, openBus } from '../../src/bus/index.ts'
import { type DatabaseOptions, openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { seededRandom } from '../../src/venues/simulation/random.ts'
import { eventually } from '../support/eventually.ts'
import { type Checker, openChecker, type Verdict } from './checker.ts'
import { createEffects, effectsIn } from './effects-table.ts'
import { type Plan, streamsOf } from './plan.ts'
import type { Fault } from './processes.ts'
import { openProxy } from './proxy.ts'
import { type Servers, startServers } from './servers.ts'
import { openStage, type Stage, type Tally } from './stage.ts'
import { drawStrike, STRIKES, type Strike } from './strikes.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly messages: number
  /** Migrated and otherwise empty. */
  readonly database: DatabaseOptions
  /** Names of strikes; all when left out. */
  readonly strikes?: readonly string[]
  readonly fault?: Fault | undefined
  readonly workers?: number
  readonly publishers?: number
  readonly leaseMs?: number
  readonly replicas?: 0 | 1
  /** For each publisher; 0 is as fast as it can. */
  readonly perSecond?: number
  /** Pause between two strikes of a lane, ms, on average. */
  readonly gapMs?: number
  /** Strikes end when this many were made; default: when nearly everything is done. */
  readonly strikesMax?: number
  readonly onProgress?: (progress: Progress) => void
  /** Told what strikes and what workers say of their partitions, with the time: an offence is explained by it. */
  readonly note?: (line: Readonly<Record<string, unknown>>) => void
}

export interface Progress {
  readonly confirmed: number
  readonly rows: number
  readonly last: string
}

export interface ChaosResult {
  readonly seed: number
  readonly verdicts: readonly Verdict[]
  /** How often each strike struck. */
  readonly strikes: Readonly<Record<string, number>>
  readonly tally: Tally
  readonly rows: number
  readonly tookMs: number
}

// Without any progress for this long after the last strike, the run stands still.
const STILL_MS = 20_000
const TRIM_EVERY_MS = 100
const BEGIN_MS = 30_000

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, messages, workers = 3, publishers = 2, leaseMs = 800, replicas = 1, fault } = options
  const began = performance.now()
  const plan: Plan = {
    ...{ seed, messages, publishers },
    keys: Math.max(8, Math.min(256, Math.floor(messages / 50))),
    partitions: 8,
    maxEntries: Math.max(20, Math.min(5_000, Math.floor(messages / 50))),
  }
  const checker = openChecker(plan)
  await createEffects(options.database)
  const database = openDatabase(options.database)
  const effects = effectsIn(database)
  const servers = await startServers(replicas)
  const own = await openProxy(servers.port())
  const bus = openBus({ url: own.url, clock: systemClock, leaseMs, replicas })
  const { perSecond = 0 } = options
  const { database: place, note = () => undefined } = options
  const stage = openStage({
    ...{ plan, leaseMs, replicas, perSecond, fault, servers, effects, checker, own },
    ...{ database: place, note },
  })
  const strikes: Record<string, number> = {}
  try {
    for (let i = 0; i < workers; i++) await stage.startWorker()
    await stage.startPublishers()
    const upkeep = new AbortController()
    const housekeeping = keepHouse(bus, plan, fault, servers, upkeep.signal)
    await strikeAll(stage, options, strikes)
    await settle(stage, bus, options, checker)
    await stage.dismiss()
    upkeep.abort()
    await housekeeping
    await readBooks(stage, bus, checker)
    const rows = await effects.count()
    const tookMs = performance.now() - began
    return { seed, verdicts: checker.verdicts(), strikes, tally: stage.tally, rows, tookMs }
  } finally {
    await stage.killAll()
    await bus.close()
    await own.stop()
    await database.close()
    await servers.stop()
  }
}

/** What a scheduler would do: trim. The planted fault trims without asking who has read. */
async function keepHouse(
  bus: Bus,
  plan: Plan,
  fault: Fault | undefined,
  servers: Servers,
  signal: AbortSignal,
): Promise<void> {
  const { input } = streamsOf(plan)
  while (!signal.aborted) {
    await bus.trim(input).catch(() => undefined)
    if (fault === 'trim too far') await trimTooFar(plan, servers).catch(() => undefined)
    await sleep(TRIM_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function trimTooFar(plan: Plan, servers: Servers): Promise<void> {
  const client = connectRedis(servers.master().url, 'writer')
  try {
    await ready(client)
    for (let p = 0; p < plan.partitions; p++) await client.xtrim(`{chaos.input:${p}}`, 'MAXLEN', 1)
  } finally {
    await closeRedis(client)
  }
}

/** Three lanes of strikes side by side, until nearly everything is done. */
async function strikeAll(stage: Stage, options: ChaosOptions, made: Record<string, number>): Promise<void> {
  const { seed, messages, gapMs = 400, strikes: names, replicas = 1 } = options
  const chosen = STRIKES.filter(({ name }) => !names || names.includes(name)).filter(
    ({ name }) => replicas > 0 || !name.includes('replica'),
  )
  let left = options.strikesMax ?? Number.POSITIVE_INFINITY
  let last = 'nothing yet'
  let rows = 0
  const isOver = () => left <= 0 || (stage.isPublished() && rows >= messages * 0.9)
  // Who dies before the work has begun proves little.
  await eventually(() => stage.effects.count(), { what: 'the first effect', timeoutMs: BEGIN_MS })
  const lane = async (list: readonly Strike[], number: number) => {
    const random = seededRandom(seed * 31 + number).uniform
    while (list.length > 0 && !isOver()) {
      await sleep(gapMs * (0.5 + random()))
      if (isOver()) return
      const { name, strike } = drawStrike(list, random)
      left--
      last = name
      made[name] = (made[name] ?? 0) + 1
      options.note?.({ what: `begins: ${name}`, at: Date.now() })
      await strike(stage, random)
      options.note?.({ what: `ends: ${name}`, at: Date.now() })
    }
  }
  const watch = new AbortController()
  const watching = (async () => {
    while (!watch.signal.aborted) {
      rows = await stage.effects.count().catch(() => rows)
      options.onProgress?.({ confirmed: stage.confirmed(), rows, last })
      await sleep(250, undefined, { signal: watch.signal }).catch(() => undefined)
    }
  })()
  try {
    const lanes = (['process', 'connection', 'server'] as const).map((name) =>
      chosen.filter((strike) => strike.lane === name),
    )
    await Promise.all(lanes.map(lane))
  } finally {
    watch.abort()
    await watching
  }
}

/** Everything is healed; waits until all is published and handled, or nothing moves any more. */
async function settle(stage: Stage, bus: Bus, { onProgress }: ChaosOptions, checker: Checker): Promise<void> {
  const streams = streamsOf(stage.plan)
  let mark = ''
  let since = performance.now()
  for (;;) {
    const rows = await stage.effects.count()
    onProgress?.({ confirmed: stage.confirmed(), rows, last: 'quiet' })
    const standing = await standingOf(bus, streams.input).catch(() => undefined)
    const isDone =
      standing && standing.length > 0 && standing.every(({ lag, pending }) => lag + pending === 0)
    const waiting = await stage.effects.waiting()
    if (isDone && stage.isPublished() && waiting === 0) return
    const now = `${rows} ${waiting} ${stage.confirmed()} ${JSON.stringify(standing)}`
    if (now !== mark) since = performance.now()
    mark = now
    if (performance.now() - since > STILL_MS) {
      checker.offend(
        'left',
        `nothing moves: ${stage.confirmed()} of ${stage.plan.messages} confirmed, ${rows} rows, ${waiting} in the outbox; alive: ${[...stage.members].map(({ name, child }) => `${name} ${child.pid}`).join(', ')}; ${await ownersOf(bus, streams.input)}`,
      )
      return
    }
    await sleep(100)
  }
}

async function standingOf(bus: Bus, stream: Parameters<Bus['status']>[0]) {
  const { partitions } = await bus.status(stream)
  return partitions.flatMap(({ partition, groups }) =>
    groups.map(({ group, lag, pending }) => ({ group, partition, lag, pending })),
  )
}

/** Who has what is left, for the one who must find out. */
async function ownersOf(bus: Bus, stream: Parameters<Bus['status']>[0]): Promise<string> {
  const { partitions } = await bus.status(stream)
  const left = partitions.flatMap(({ partition, groups }) =>
    groups
      .filter(({ lag }) => lag > 0)
      .map(({ group, owner }) => `${group}/${partition}: ${owner ?? 'nobody'}`),
  )
  return `owners of what is left: ${left.join(', ')}`
}

async function readBooks(stage: Stage, bus: Bus, checker: Checker): Promise<void> {
  const { plan, effects } = stage
  const { input, said, told } = streamsOf(plan)
  for await (const row of effects.all()) checker.row(row)
  for (const standing of await standingOf(bus, input)) checker.standing(standing)
  for (const { group, data, entry } of await bus.deadLetters(input, 1_000_000)) {
    checker.buried({ ...JSON.parse(data), group, entry })
  }
  for (const [name, stream] of [
    ['said', said],
    ['told', told],
  ] as const) {
    for (let partition = 0; partition < stream.partitions; partition++) {
      for (let after = '0-0'; ; ) {
        const page = await bus.readBack(stream, partition, after, 1_000)
        for (const { data, entry } of page) checker.output({ ...data, stream: name, entry })
        if (page.length < 1_000) break
        after = page.at(-1)!.entry
      }
    }
  }
}
