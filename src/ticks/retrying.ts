// What a store does not take is tried again until it does, whatever the reason: nothing is lost by waiting, the alarm
// names the reason, and a worker that ended for it would end the other stores of its process as well, again and again.
import { type Clock, messageOf } from '../kernel/index.ts'
import type { TickEmitter } from './tick-events.ts'

const LONGEST_MS = 5_000

/** Repeats `work`, which must bear it, until it succeeds. Rejects with its error when the signal aborts. */
export async function retrying(
  { clock, events, name }: { readonly clock: Clock; readonly events: TickEmitter; readonly name: string },
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) throw error
      const inMs = Math.min(100 * 2 ** attempt, LONGEST_MS)
      events.emit('unstored', { store: name, reason: messageOf(error), inMs })
      await clock.sleep(inMs, signal)
      if (signal.aborted) throw error
    }
  }
}
