// What the insights worker runs: one consumer of records, in order for each key.
import { type Bus, checkOwnership, RetryAfter } from '../bus/index.ts'
import { insightRecords } from '../catalog/index.ts'
import { type Database, isPassing } from '../db/index.ts'
import { type Clock, messageOf, type Task } from '../kernel/index.ts'
import { bookRecord, INSIGHTS_GROUP } from './book-record.ts'
import type { InsightEmitter } from './events.ts'

export interface InsightsOptions {
  readonly bus: Bus
  readonly db: Database
  /** Measures how long booking takes. */
  readonly clock: Clock
  readonly events: InsightEmitter
  /** Called after a commit that left something in the outbox: the relay's nudge. */
  readonly nudge: () => void
}

const RETRY_MS = 500

/** Books each record once, in a transaction of its own as the ledger does. */
export const bookRecords = ({ bus, db, clock, events, nudge }: InsightsOptions): Task =>
  bus.consume({
    stream: insightRecords,
    group: INSIGHTS_GROUP,
    order: 'key',
    async handle({ id, time, data }, { ownership }) {
      const { kind } = data
      const beganAt = clock.monotonic()
      try {
        const result = await db.write(async (tx) => {
          // A worker that was paused past its lease books nothing any more.
          if (ownership) await checkOwnership(tx, ownership)
          return bookRecord(tx, id, time, data)
        })
        if (result !== 'booked') return void events.emit('passed', { kind, reason: result })
        events.emit('booked', { kind, tookMs: clock.monotonic() - beganAt })
        nudge()
      } catch (error) {
        // The database comes back or it does not; giving a record up meanwhile would lose it.
        if (isPassing(error)) throw new RetryAfter(RETRY_MS, messageOf(error))
        throw error
      }
    },
  })
