// Folds whose state is only what has to be written: a batch of messages is collected, so that what several of them say
// of one thing is written once, and acknowledged when it is.
import { isPassing } from '../db/index.ts'
import { type Clock, isSluiceError, messageOf, randomId } from '../kernel/index.ts'
import type { CandleEmitter, CandlePlace } from './events.ts'

export interface SettleOptions<T extends Named> {
  readonly clock: Clock
  /** Told of each attempt that has to be made again (`delayed`), and of what no attempt would write (`unkept`). */
  readonly events: CandleEmitter
  readonly where: CandlePlace
  /** All or nothing, and safe to repeat. */
  readonly write: (items: readonly T[], signal: AbortSignal) => Promise<void>
}

interface Named {
  readonly source: string
  readonly ticker: string
}

const RETRY_MS = 500

/** Writes everything in the state and takes it out. Ends early when the partition is lost: then another writes it. */
export const settleAll =
  <T extends Named>(options: SettleOptions<T>) =>
  async (state: Record<string, T>, signal: AbortSignal): Promise<void> => {
    const names = Object.keys(state)
    if (names.length === 0) return
    if (names.length > 1 && (await settle(names, state, options, signal))) return
    for (const name of names) {
      if (!(name in state) || (await settle([name], state, options, signal)) || signal.aborted) continue
      delete state[name]
    }
  }

/** True when they are written, or somebody else has to; false for an error of one of them. */
async function settle<T extends Named>(
  names: readonly string[],
  state: Record<string, T>,
  { clock, events, where, write }: SettleOptions<T>,
  signal: AbortSignal,
): Promise<boolean> {
  let wait: string | undefined
  try {
    while (!signal.aborted) {
      try {
        await write(
          names.map((name) => state[name]!),
          signal,
        )
        if (!signal.aborted) for (const name of names) delete state[name]
        return true
      } catch (error) {
        const reason = messageOf(error)
        if (!isPassing(error) && !isSluiceError(error, 'CUTOVER_UNKNOWN')) {
          const { source, ticker } = state[names[0]!]!
          if (names.length === 1) events.emit('unkept', { source, ticker, reason })
          return false
        }
        wait ??= randomId()
        events.emit('delayed', { where, wait, reason })
        await clock.sleep(RETRY_MS, signal)
      }
    }
    return true
  } finally {
    if (wait !== undefined) events.emit('resumed', { where, wait })
  }
}
