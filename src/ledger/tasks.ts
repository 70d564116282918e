// What the ledger runs: one consumer of executions, in order for each symbol.
import { type Bus, Reject } from '../bus/index.ts'
import { executions } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import { type Clock, isSluiceError, type Task } from '../kernel/index.ts'
import { bookEvent, LEDGER_GROUP } from './book-event.ts'
import type { LedgerEmitter } from './events.ts'

export interface LedgerOptions {
  readonly bus: Bus
  readonly db: Database
  /** Measures how long booking takes; no time of it is booked. */
  readonly clock: Clock
  readonly events: LedgerEmitter
}

/** Books fills and the ends of executions, each once. What contradicts the books goes to the dead letters. */
export const bookExecutions = ({ bus, db, clock, events }: LedgerOptions): Task =>
  bus.consume({
    stream: executions,
    group: LEDGER_GROUP,
    order: 'key',
    async handle({ id: eventId, data }) {
      const kind = data.type === 'fill' ? 'fill' : 'trade'
      const id = data.type === 'fill' ? data.id : data.opportunityId
      const { symbol } = data
      const beganAt = clock.monotonic()
      try {
        const { result, mismatch } = await db.write((tx) => bookEvent(tx, eventId, data))
        if (result === 'duplicate') events.emit('duplicate', { kind, id, symbol })
        else events.emit('booked', { kind, id, symbol, tookMs: clock.monotonic() - beganAt })
        if (mismatch) events.emit('mismatch', { id, symbol, reason: mismatch })
      } catch (error) {
        if (!isSluiceError(error, 'LEDGER_MISMATCH')) throw error
        events.emit('mismatch', { id, symbol, reason: error.message })
        throw new Reject(`${error.code}: ${error.message}`, { cause: error })
      }
    },
  })
