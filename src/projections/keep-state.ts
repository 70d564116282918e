// Writes what is made of the tables again after each of their changes, and before it ends by itself.
import type { Clock } from '../kernel/index.ts'
import type { KeepingListener } from './source.ts'

export interface Pace {
  readonly clock: Clock
  /** Another text after each booking. */
  readonly state: () => Promise<string>
  /** Pause between two looks at it, ms. */
  readonly lookMs: number
  /** Written again after so long, also without a change, ms. */
  readonly renewMs: number
  /** Pause after a write, in times of what it took. */
  readonly pauseFactor: number
}

export async function keepState(
  { clock, state, lookMs, renewMs, pauseFactor }: Pace,
  write: () => Promise<void>,
  signal: AbortSignal,
  { onCurrent }: KeepingListener = {},
): Promise<void> {
  let last: string | undefined
  let writtenAt = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    const now = await state()
    const beganAt = clock.monotonic()
    let pauseMs = lookMs
    if (now !== last || beganAt - writtenAt >= renewMs) {
      await write()
      last = now
      writtenAt = beganAt
      pauseMs = Math.max(lookMs, pauseFactor * (clock.monotonic() - beganAt))
    }
    onCurrent?.()
    await clock.sleep(pauseMs, signal)
  }
}
