// What a store does not take is tried again until it does, whatever the reason: nothing is lost by waiting, the alarm
// names the reason, and a worker that ended for it would end the other stores of its process as well, again and again.
import { afterMs, type Clock, messageOf, randomId } from '../kernel/index.ts'
import type { TickEmitter } from './tick-events.ts'

const LONGEST_MS = 5_000
// A disk that hangs fails nothing.
const SLOW_MS = 3_000

/** Repeats `work`, which must bear it, until it succeeds. Rejects with its error when the signal aborts. */
export async function retrying(
  { clock, events, name }: { readonly clock: Clock; readonly events: TickEmitter; readonly name: string },
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const about = { store: name, wait: randomId() }
  let isTold = false
  const cancel = afterMs(SLOW_MS, () => {
    isTold = true
    events.emit('slow', { ...about, forMs: SLOW_MS })
  })
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work()
      } catch (error) {
        if (signal.aborted) throw error
        cancel()
        isTold = true
        const inMs = Math.min(100 * 2 ** attempt, LONGEST_MS)
        events.emit('unstored', { ...about, reason: messageOf(error), inMs })
        await clock.sleep(inMs, signal)
        if (signal.aborted) throw error
      }
    }
  } finally {
    cancel()
    if (isTold) events.emit('resumed', about)
  }
}
