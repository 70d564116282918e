// What runs: one consumer of funding, in order for each instrument.
import { type Bus, checkOwnership, RetryAfter } from '../bus/index.ts'
import { marketFunding } from '../catalog/index.ts'
import { type Database, isPassing } from '../db/index.ts'
import { type Clock, messageOf, type Task } from '../kernel/index.ts'
import { bookFunding, FUNDING_GROUP } from './book-funding.ts'
import type { FundingEmitter } from './events.ts'

export interface FundingOptions {
  readonly bus: Bus
  readonly db: Database
  /** Measures how long booking takes; no time of it is booked. */
  readonly clock: Clock
  readonly events: FundingEmitter
  /** Called after a commit that left something in the outbox: the relay's nudge. */
  readonly nudge: () => void
}

const RETRY_MS = 500

/** Books funding rates, each once, and the newest context of each instrument. */
export const bookFundings = ({ bus, db, clock, events, nudge }: FundingOptions): Task =>
  bus.consume({
    stream: marketFunding,
    group: FUNDING_GROUP,
    order: 'key',
    async handle({ id, data }, { ownership }) {
      const beganAt = clock.monotonic()
      try {
        const booked = await db.write(async (tx) => {
          // A worker that was paused past its lease would put an older rate over a newer one.
          if (ownership) await checkOwnership(tx, ownership)
          return bookFunding(tx, id, data)
        })
        const { venue, symbol } = data
        events.emit('booked', { ...booked, venue, symbol, tookMs: clock.monotonic() - beganAt })
        if (booked.what === 'rate') nudge()
      } catch (error) {
        // The database comes back or it does not; giving a settlement up meanwhile would lose it.
        if (isPassing(error)) throw new RetryAfter(RETRY_MS, messageOf(error))
        throw error
      }
    },
  })
