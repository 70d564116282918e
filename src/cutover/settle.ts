// Waiting until nobody acts on what was true before. Every process either has learned of a change or its knowledge is
// older than `leaseMs`, and then it asks before it leaves a store out.
import type { Clock } from '../kernel/index.ts'
import type { FeatureState } from './store.ts'

// Clocks of two machines may differ by this without anybody noticing; what is older needs no waiting.
const CLOCKS_APART_MS = 60_000

export interface SettleOptions {
  readonly clock: Clock
  readonly leaseMs: number
}

/** Told when there is something to wait for, ms. */
export type OnWait = (forMs: number) => void

/** @param state as just read from the database: the waiting is counted from now, by the monotonic clock. */
export async function settle(
  { clock, leaseMs }: SettleOptions,
  state: FeatureState,
  { onWait, signal }: { onWait?: OnWait | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  if (clock.now() - state.changedAt > leaseMs + CLOCKS_APART_MS) return
  // The clocks of two processes do not run equally fast.
  const forMs = leaseMs * 1.1
  const until = clock.monotonic() + forMs
  onWait?.(forMs)
  while (!signal?.aborted && clock.monotonic() < until) await clock.sleep(until - clock.monotonic(), signal)
  signal?.throwIfAborted()
}
