// What the insights worker runs: one consumer of records, in order for each key.
import { type Bus, writeEffect } from '../bus/index.ts'
import { insightRecords } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import type { Clock, Task } from '../kernel/index.ts'
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

/** Books each record once, in a transaction of its own as the ledger does. */
export const bookRecords = ({ bus, db, clock, events, nudge }: InsightsOptions): Task =>
  bus.consume({
    stream: insightRecords,
    group: INSIGHTS_GROUP,
    order: 'key',
    async handle({ id, time, data }, { ownership }) {
      const { kind } = data
      const beganAt = clock.monotonic()
      const result = await writeEffect(db, ownership, (tx) => bookRecord(tx, id, time, data))
      if (result !== 'booked') return void events.emit('passed', { kind, reason: result })
      events.emit('booked', { kind, tookMs: clock.monotonic() - beganAt })
      nudge()
    },
  })
