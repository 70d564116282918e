// Time is a port: everything that waits or stamps takes a Clock, so that a run can be replayed and a jump of
// the wall clock can be tested. Durations are measured with `monotonic`, never with `now`.

export interface Clock {
  /** Wall time, ms since 1970 UTC. May jump. */
  now(): number
  /** ms from an arbitrary origin; never goes back. */
  monotonic(): number
  /** Resolves after `ms`, or at once when the signal aborts (it does not reject). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** Calls `fire` after `ms` unless the returned function is called first. Does not keep the process alive. */
export function afterMs(ms: number, fire: () => void): () => void {
  const timer = setTimeout(fire, ms)
  timer.unref()
  return () => clearTimeout(timer)
}

/** ISO 8601 in UTC with milliseconds. */
export const isoTime = (timeMs: number): string => new Date(timeMs).toISOString()
