// What runs in this context: each store of ticks follows the stream as a group of its own.
import type { Bus } from '../bus/index.ts'
import type { Cutover } from '../cutover/index.ts'
import type { Database } from '../db/index.ts'
import { type Clock, type Config, repeat, type Task } from '../kernel/index.ts'
import { archiveDays } from './archive-days.ts'
import { inItsPhases } from './cutover-ticks.ts'
import { keepQuotes } from './keep-quotes.ts'
import { openTickBackend } from './open-ticks.ts'
import type { TickStore } from './tick.ts'
import type { TickEmitter } from './tick-events.ts'
import { openTickWriter } from './writer.ts'

export interface TickTasksOptions {
  readonly bus: Bus
  readonly database: Database
  readonly clock: Clock
  readonly events: TickEmitter
  readonly cutover: () => Cutover<'ticks'>
  readonly config: Pick<
    Config,
    | 'DATABASE_URL'
    | 'FEED'
    | 'MARKET_TIME'
    | 'TICKS_ARCHIVE_AFTER_DAYS'
    | 'TICKS_BACKEND'
    | 'TICKS_BATCH_MS'
    | 'TICKS_BROADCAST_MIN_PCT'
    | 'TICKS_DIR'
    | 'TICKS_JUMP_PCT'
    | 'TICKS_QUEUE_FULL'
    | 'TICKS_QUEUE_MAX'
  >
}

// As often as a worker reports.
const HEALTH_EVERY_MS = 2_000

type Writable = Pick<TickStore, 'write' | 'close'>

export function tickTasks(options: TickTasksOptions): Task[] {
  const { bus, database, clock, events, config } = options
  const live = isLive(config)
  const keep =
    ({ name, open, tells, phased = (store) => store }: Keeping): Task =>
    async (signal) => {
      const store = open()
      try {
        const broadcastMinPct = tells ? config.TICKS_BROADCAST_MIN_PCT : undefined
        const terms = { live, jumpPct: config.TICKS_JUMP_PCT, broadcastMinPct }
        const parts = { name, store: phased(store), database, clock, events }
        await bus.fold(keepQuotes({ ...parts, ...terms }))(signal)
      } finally {
        await store.close()
      }
    }
  const sqlite = { name: 'sqlite', open: () => sqliteWriter(options), tells: true }
  const backend = config.TICKS_BACKEND
  const archive = archiveDays({
    ...{ dir: config.TICKS_DIR, afterDays: config.TICKS_ARCHIVE_AFTER_DAYS, clock, events },
  })
  if (backend === 'sqlite') return [keep(sqlite), archive]
  if (backend !== 'dual') {
    return [keep({ name: backend, open: () => openTickBackend(backend, options), tells: true })]
  }
  const cutover = options.cutover()
  const inPhases = (side: 'legacy' | 'current') => (store: Writable) => inItsPhases(cutover, side, store)
  const json = { name: 'json', open: () => openTickBackend('json', options), tells: false }
  return [
    ...[cutover.task, archive],
    keep({ ...json, phased: inPhases('legacy') }),
    keep({ ...sqlite, phased: inPhases('current') }),
  ]
}

/** Quotes come as they happen; those of a recording may be of any age. */
export const isLive = ({ MARKET_TIME, FEED }: Pick<Config, 'MARKET_TIME' | 'FEED'>): boolean =>
  MARKET_TIME === 'wall' && !FEED.startsWith('replay:')

interface Keeping {
  readonly name: string
  readonly open: () => Writable
  /** One of several groups tells the ticks on their channels. */
  readonly tells: boolean
  readonly phased?: (store: Writable) => Pick<TickStore, 'write'>
}

/** Writes in a thread of its own. */
function sqliteWriter({ config, clock, events }: TickTasksOptions): Writable {
  const writer = openTickWriter({
    ...{ dir: config.TICKS_DIR, clock, events },
    ...{ queueMax: config.TICKS_QUEUE_MAX, full: config.TICKS_QUEUE_FULL, batchMs: config.TICKS_BATCH_MS },
  })
  const stop = new AbortController()
  const telling = repeat(
    HEALTH_EVERY_MS,
    clock,
    () => void events.emit('health', writer.health()),
  )(stop.signal)
  return {
    async write(ticks) {
      await writer.ready()
      return writer.add(ticks)
    },
    async close() {
      await writer.close()
      stop.abort()
      await telling
    },
  }
}
