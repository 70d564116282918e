// What runs: one consumer of funding, in order for each instrument.
import { type Bus, writeEffect } from '../bus/index.ts'
import { marketFunding } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import type { Clock, Task } from '../kernel/index.ts'
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

/** Books funding rates, each once, and the newest context of each instrument. */
export const bookFundings = ({ bus, db, clock, events, nudge }: FundingOptions): Task =>
  bus.consume({
    stream: marketFunding,
    group: FUNDING_GROUP,
    order: 'key',
    async handle({ id, data }, { ownership }) {
      const beganAt = clock.monotonic()
      // Without the ownership, a worker that was paused past its lease would put an older rate over a newer one.
      const booked = await writeEffect(db, ownership, (tx) => bookFunding(tx, id, data))
      const { venue, symbol } = data
      events.emit('booked', { ...booked, venue, symbol, tookMs: clock.monotonic() - beganAt })
      if (booked.what === 'rate') nudge()
    },
  })
