// Keeps requests from a server that does not answer: after some failures in a row nobody asks it for a while, then one
// does, and its answer decides for all.
import type { Clock } from '../kernel/index.ts'

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface Breaker {
  /** False while it is open; true for one caller once it may be tried again. */
  admits(): boolean
  succeeded(): void
  failed(reason: string): void
  state(): BreakerState
}

export interface BreakerOptions {
  readonly clock: Clock
  /** Failures in a row that open it. */
  readonly failures: number
  /** How long nobody asks, ms. */
  readonly openMs: number
  readonly onChange: (isClosed: boolean, reason: string) => void
}

export function openBreaker({ clock, failures, openMs, onChange }: BreakerOptions): Breaker {
  let inARow = 0
  /** Monotonic; nobody asks before it. */
  let openUntil: number | undefined
  let isTried = false
  const isOpen = () => openUntil !== undefined
  return {
    admits() {
      if (openUntil === undefined) return true
      if (isTried || clock.monotonic() < openUntil) return false
      isTried = true
      return true
    },
    succeeded() {
      inARow = 0
      isTried = false
      if (!isOpen()) return
      openUntil = undefined
      onChange(true, 'it answers again')
    },
    failed(reason) {
      inARow++
      isTried = false
      if (!isOpen() && inARow < failures) return
      const wasOpen = isOpen()
      openUntil = clock.monotonic() + openMs
      if (!wasOpen) onChange(false, reason)
    },
    state: () =>
      openUntil === undefined ? 'closed' : clock.monotonic() < openUntil && !isTried ? 'open' : 'half-open',
  }
}
