// What may pass is waited for: a database that is away or busy, a disk that is full or fails.
import { type Clock, isSluiceError, messageOf } from '../kernel/index.ts'
import type { TickEmitter } from './tick-events.ts'

// A damaged file waits for somebody: its day stands still, and every alarm names it.
const PASSING = new Set(['DATABASE_UNAVAILABLE', 'DATABASE_BUSY', 'TICKS_DAMAGED', 'CUTOVER_UNKNOWN'])
const LONGEST_MS = 5_000

/** Repeats `work`, which must bear it, until it succeeds or the signal aborts. Rejects with anything else. */
export async function retrying(
  { clock, events, name }: { readonly clock: Clock; readonly events: TickEmitter; readonly name: string },
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted || !isSluiceError(error) || !PASSING.has(error.code)) throw error
      const inMs = Math.min(100 * 2 ** attempt, LONGEST_MS)
      events.emit('unstored', { store: name, reason: messageOf(error), inMs })
      await clock.sleep(inMs, signal)
      if (signal.aborted) throw error
    }
  }
}
