// The keeper: bars that ticks have made go from the stream into the database, in order for each symbol at a venue.
import { type Bus, checkOwnership, type Entry, type Ownership, RetryAfter } from '../bus/index.ts'
import { type CandleBars, marketCandles, type TickBar } from '../catalog/index.ts'
import type { Database, Tx } from '../db/index.ts'
import { type Clock, isSluiceError, messageOf, type Task } from '../kernel/index.ts'
import type { Bar } from './candle.ts'
import type { CandleEmitter } from './events.ts'
import { addKept, type Kept, keepBars, lockBars } from './keep-bars.ts'
import { openBatch } from './keep-batch.ts'
import { mendPartial, plainBar } from './keep-partial.ts'

export interface KeeperOptions {
  readonly bus: Bus
  readonly db: Database
  readonly clock: Clock
  readonly events: CandleEmitter
  /** Called after a commit that left something in the outbox: the relay's nudge. */
  readonly nudge: () => void
}

interface Item {
  readonly entry: Entry<CandleBars>
  readonly ownership: Ownership | undefined
}

// As many series are written in one transaction at most.
const CONCURRENCY = 256
const PASSING = ['DATABASE_BUSY', 'DATABASE_UNAVAILABLE', 'MIGRATION_PENDING'] as const
const RETRY_MS = 500

/** The database comes back or it does not; what waits for it is not given up. */
export const isPassing = (error: unknown): boolean => PASSING.some((code) => isSluiceError(error, code))

/** Runs `work`; what passes is tried again without counting. */
export async function untilPassed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isPassing(error) ? new RetryAfter(RETRY_MS, messageOf(error)) : error
  }
}

export function keepCandles(options: KeeperOptions): Task {
  const { bus, db, clock, events, nudge } = options
  const batch = openBatch<Item>(async (items) => {
    const beganAt = clock.monotonic()
    const kept = await db.write((tx) => keepItems(tx, items, options))
    nudge()
    const { stored, changed, older } = kept
    events.emit('kept', { stored, changed, older, tookMs: clock.monotonic() - beganAt })
  }, isPassing)
  return bus.consume({
    stream: marketCandles,
    group: 'keeper',
    order: 'key',
    concurrency: CONCURRENCY,
    async handle(entry, { ownership }) {
      await untilPassed(() => batch.add({ entry, ownership }))
      const { source, ticker, late } = entry.data
      if (late) events.emit('late', { source, ticker, ...late })
    },
  })
}

async function keepItems(tx: Tx, items: readonly Item[], { db, clock }: KeeperOptions): Promise<Kept> {
  // A worker that was paused past its lease writes nothing any more.
  const owners = new Map(items.flatMap(({ ownership: one }) => (one ? [[one.resource, one]] : [])))
  for (const ownership of [...owners.values()].sort(byResource)) await checkOwnership(tx, ownership)
  const messages = items.map(({ entry }) => entry.data)
  const { driver } = db
  await lockBars(
    tx,
    driver,
    messages.flatMap((message) => message.bars.map((bar) => plainBar(message, bar))),
  )
  const cause = items.map(({ entry }) => entry.id).join(' ')
  const options = { driver, origin: 'ticks', replaces: 'more ticks', cause, at: clock.now() } as const
  const sound: Bar[] = []
  const partial: [CandleBars, TickBar[]][] = []
  for (const message of messages) {
    const isSound = ({ whole, interval }: TickBar) => whole || interval === '1m'
    sound.push(...message.bars.filter(isSound).map((bar) => plainBar(message, bar)))
    const rest = message.bars.filter((bar) => !isSound(bar))
    if (rest.length > 0) partial.push([message, rest])
  }
  const kept = await keepBars(tx, sound, options)
  const mended: Bar[] = []
  for (const [message, bars] of partial) mended.push(...(await mendPartial(tx, message, bars)))
  return addKept(kept, await keepBars(tx, mended, options))
}

// In the same order in every worker, so that none of two waits for the other.
const byResource = (a: Ownership, b: Ownership) => (a.resource < b.resource ? -1 : 1)
