// Folds whose state is only what has to be written: a batch of messages is collected, so that what several of them say
// of one thing is written once, and acknowledged when it is.
import { type Clock, isSluiceError, messageOf } from '../kernel/index.ts'

export interface SettleOptions<T> {
  readonly clock: Clock
  /** All or nothing, and safe to repeat. */
  readonly write: (items: readonly T[], signal: AbortSignal) => Promise<void>
  /** It is tried again until it succeeds. */
  readonly onDelay: (reason: string) => void
  /** No attempt would write this one; the others are. */
  readonly onRefused: (item: T, reason: string) => void
}

const PASSING = ['DATABASE_BUSY', 'DATABASE_UNAVAILABLE', 'MIGRATION_PENDING', 'CUTOVER_UNKNOWN'] as const
const RETRY_MS = 500

/** Writes everything in the state and takes it out. Ends early when the partition is lost: then another writes it. */
export const settleAll =
  <T>(options: SettleOptions<T>) =>
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
async function settle<T>(
  names: readonly string[],
  state: Record<string, T>,
  { clock, write, onDelay, onRefused }: SettleOptions<T>,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await write(
        names.map((name) => state[name]!),
        signal,
      )
      if (!signal.aborted) for (const name of names) delete state[name]
      return true
    } catch (error) {
      const isPassing = PASSING.some((code) => isSluiceError(error, code))
      if (isPassing) {
        onDelay(messageOf(error))
        await clock.sleep(RETRY_MS, signal)
      } else {
        if (names.length === 1) onRefused(state[names[0]!]!, messageOf(error))
        return false
      }
    }
  }
  return true
}
