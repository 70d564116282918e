// Keeps the projections of PROJECTIONS current: one process at a time, by a lock, and everything again when Redis was
// emptied or started again. A lock that was lost for a moment does no harm: what is older never replaces what is newer.
import type { Bus } from '../bus/index.ts'
import { calendarOf } from '../candles/index.ts'
import {
  familyOf,
  PROJECTION_LOCK,
  type ProjectionEmitter,
  type ProjectionFamily,
  projectionKeys,
} from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import {
  type Clock,
  type Config,
  messageOf,
  parseHolidays,
  repeat,
  runTasks,
  type Task,
} from '../kernel/index.ts'
import type { Locks } from '../locks/index.ts'
import { closeRedis, connectRedis, onNodeOf, type Redis, ready } from '../redis/index.ts'
import { isLive, type TickStore } from '../ticks/index.ts'
import type { VenueTable } from '../venues/index.ts'
import { openAnalyticsSource } from './analytics-source.ts'
import { openBarSource } from './bar-source.ts'
import { type FamilySource, openCurrent } from './current.ts'
import { openFundingSource } from './funding-source.ts'
import { openInsightSource } from './insight-source.ts'
import { openLedgerSource } from './ledger-source.ts'
import { openQuoteSource } from './quote-source.ts'
import type { ProjectionSource } from './source.ts'
import { openTableSource } from './table-source.ts'
import { openWriter, type ProjectionWriter } from './writer.ts'

export interface ProjectorOptions {
  readonly families: ReadonlySet<ProjectionFamily>
  readonly bus: Pick<Bus, 'readBack'>
  readonly database: Database
  readonly venues: VenueTable
  readonly ticks: () => TickStore
  readonly clock: Clock
  readonly config: Pick<
    Config,
    'FEED' | 'MARKET_HOLIDAYS' | 'MARKET_TIME' | 'REDIS_CACHE_URL' | 'REDIS_URL' | 'TICKS_JUMP_PCT'
  >
}

export interface KeepingOptions extends ProjectorOptions {
  readonly locks: Locks
  /** Another text after each booking of the ledger. Cheap: it is asked four times a second. */
  readonly ledgerState: () => Promise<string>
  readonly events: ProjectionEmitter
}

const AGAIN_MS = 1_000
// What fails again and again reads its store as a whole each time; prices that nobody writes end after so long.
const AGAIN_MAX_MS = 10_000
const LOOK_MS = 2_000
const CONNECT_MS = 2_000

export function keepProjections(options: KeepingOptions): Task {
  const { locks, clock, events } = options
  return async (stopped) => {
    while (!stopped.aborted) {
      try {
        const keep = ({ signal }: { signal: AbortSignal }) =>
          withReaders(options, (redis) => keepUntilEmptied(options, redis, signal))
        await locks.hold(PROJECTION_LOCK, keep, { signal: stopped })
      } catch (error) {
        if (!stopped.aborted) events.emit('failed', { source: 'the keeper', reason: messageOf(error) })
      }
      await clock.sleep(AGAIN_MS, stopped)
    }
  }
}

type Connected = () => Promise<Redis>

/** The server of the readers of projections: that of the cache. */
async function withReaders<T>(
  { config }: ProjectorOptions,
  work: (redis: Connected) => Promise<T>,
): Promise<T> {
  const url = config.REDIS_CACHE_URL || config.REDIS_URL
  const client = connectRedis(url, 'writer', { name: 'projections' })
  try {
    return await work(async () => {
      await ready(client, CONNECT_MS)
      return client
    })
  } finally {
    await closeRedis(client)
  }
}

async function keepUntilEmptied(
  options: KeepingOptions,
  redis: Connected,
  signal: AbortSignal,
): Promise<void> {
  const { clock, events, ledgerState } = options
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const client = await redis()
  await client.set(projectionKeys.kept, await runOf(client))
  const watch = repeat(LOOK_MS, clock, async () => {
    const now = await redis()
    if ((await now.get(projectionKeys.kept)) !== (await runOf(now))) stop.abort()
  })
  const writer = openWriter(redis, (key, result) => {
    const family = familyOf(key)
    if (family) events.emit('put', { family, result })
  })
  const sources = openSources(writer, options, ledgerState)
  const tell = openCurrent(sources, options)
  const tasks = sources.map((source) => insisting(source, options, () => tell(source)))
  await runTasks([...tasks, untilFailure(watch, stop, options)], either)
}

/** Another after each start of the server, and on a replica that was promoted: what it has then may be older. */
async function runOf(client: Redis): Promise<string> {
  const info = await onNodeOf(client, projectionKeys.kept).info('server')
  return /^run_id:(\w+)/m.exec(info)?.[1] ?? ''
}

/** Redis that does not answer may have been emptied meanwhile. */
const untilFailure =
  (task: Task, stop: AbortController, { events }: KeepingOptions): Task =>
  async (signal) => {
    try {
      await task(signal)
    } catch (error) {
      // The sources end with it and say nothing, and a lock that is refused is no failure.
      if (!signal.aborted) events.emit('failed', { source: 'the keeper', reason: messageOf(error) })
      stop.abort()
    }
  }

const insisting =
  (source: ProjectionSource, { clock, events }: KeepingOptions, onCurrent: () => void): Task =>
  async (signal) => {
    const tell = (error: unknown) =>
      void events.emit('failed', { source: source.name, reason: messageOf(error) })
    for (let pauseMs = AGAIN_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, AGAIN_MAX_MS)) {
      const beganAt = clock.monotonic()
      try {
        await source.keep(signal, { onCurrent, onFull: tell })
      } catch (error) {
        if (!signal.aborted) tell(error)
      }
      if (clock.monotonic() - beganAt > AGAIN_MAX_MS) pauseMs = AGAIN_MS
      await clock.sleep(pauseMs, signal)
    }
  }

export interface Rebuilt {
  readonly source: string
  /** Keys that have the truth now. */
  readonly written: number
  /** Keys that had something newer already. */
  readonly overtaken: number
  readonly tookMs: number
}

export interface RebuildReport {
  readonly sources: readonly Rebuilt[]
  /** Those that are not whole, or were not begun, when it was told to stop. */
  readonly left: readonly string[]
}

/** Writes everything that the stores can tell, also while others keep it. Rejects when Redis or a store fails. */
export const rebuildProjections = (
  options: ProjectorOptions,
  signal: AbortSignal,
  onDone: (one: Rebuilt) => void = () => {},
): Promise<RebuildReport> =>
  withReaders(options, async (redis) => {
    const { clock } = options
    const done: Rebuilt[] = []
    const left: string[] = []
    const writer = openWriter(redis)
    for (const source of openSources(writer, options, async () => '')) {
      if (signal.aborted) {
        left.push(source.name)
        continue
      }
      const beganAt = clock.monotonic()
      const before = { ...writer.counts }
      if (!(await source.rebuild(signal))) left.push(source.name)
      const one = {
        ...{ source: source.name, written: writer.counts.written - before.written },
        overtaken: writer.counts.overtaken - before.overtaken,
        tookMs: Math.round(clock.monotonic() - beganAt),
      }
      done.push(one)
      onDone(one)
    }
    return { sources: done, left }
  })

function openSources(
  writer: ProjectionWriter,
  options: ProjectorOptions,
  state: () => Promise<string>,
): FamilySource[] {
  const { families, bus, database, venues, ticks, clock, config } = options
  const hoursOf = calendarOf(parseHolidays(config.MARKET_HOLIDAYS))
  const gate = { live: isLive(config), jumpPct: config.TICKS_JUMP_PCT }
  const common = { writer, database, clock, families }
  const makers: readonly (readonly [readonly ProjectionFamily[], () => ProjectionSource])[] = [
    [['nof0'], () => openLedgerSource({ ...common, state })],
    [['nof0'], () => openAnalyticsSource({ ...common, state })],
    [['nof0', 'insights'], () => openInsightSource(common)],
    [['nof0', 'market'], () => openTableSource({ ...common, venues })],
    [['nof0', 'market'], () => openFundingSource(common)],
    [['nof0', 'market', 'ticks'], () => openQuoteSource({ ...common, bus, ticks, gate })],
    [['candles', 'ticks'], () => openBarSource({ ...common, bus, hoursOf })],
  ]
  return makers.flatMap(([made, open]) => {
    const kept = made.filter((family) => families.has(family))
    return kept.length === 0 ? [] : [{ ...open(), families: kept }]
  })
}
