// Keeps a claim while its work runs. Two loops: one extends at a third of the lifetime; the other is a local timer
// that aborts the work at the true deadline, so that a Redis that never answers cannot hide the loss.
import { type Clock, SluiceError } from '../kernel/index.ts'
import type { Claim } from './claim.ts'

export interface KeepOptions {
  readonly resource: string
  readonly claim: Claim
  readonly ttlMs: number
  readonly clock: Clock
  readonly onExtended: (remainingMs: number) => void
  readonly onLost: (reason: 'deadline' | 'replaced') => void
}

export interface Kept {
  /** Aborts with LOCK_LOST at the deadline, or as soon as the servers say that the key is another's. */
  readonly signal: AbortSignal
  remainingMs(): number
  /** Ends both loops; resolves when no request of theirs is under way. */
  stop(): Promise<void>
}

export function keepClaim({ resource, claim, ttlMs, clock, onExtended, onLost }: KeepOptions): Kept {
  const lost = new AbortController()
  const stopped = new AbortController()
  const ended = AbortSignal.any([lost.signal, stopped.signal])
  const remainingMs = () => claim.deadline() - clock.monotonic()

  const lose = (reason: 'deadline' | 'replaced') => {
    if (ended.aborted) return
    lost.abort(new SluiceError('LOCK_LOST', `The lock on ${resource} was lost.`, { resource, reason }))
    onLost(reason)
  }

  const watchDeadline = async () => {
    // A timer may fire a fraction of a millisecond early, and the deadline moves with each extension.
    for (let leftMs = remainingMs(); !ended.aborted && leftMs > 0; leftMs = remainingMs()) {
      await clock.sleep(leftMs, ended)
    }
    lose('deadline')
  }

  const extendAgain = async () => {
    let pauseMs = ttlMs / 3
    while (!ended.aborted) {
      await clock.sleep(pauseMs, ended)
      if (ended.aborted) return
      const outcome = await claim.extend()
      if (outcome === 'extended') onExtended(remainingMs())
      if (outcome === 'replaced') lose('replaced')
      // Without an answer there is time for a few more questions before the deadline.
      pauseMs = outcome === 'unclear' ? ttlMs / 20 : ttlMs / 3
    }
  }

  const loops = Promise.all([watchDeadline(), extendAgain()])
  // Seen by `stop`; until then it must not count as unhandled.
  loops.catch(() => {})
  return {
    signal: lost.signal,
    remainingMs,
    async stop() {
      stopped.abort()
      await loops
    },
  }
}
