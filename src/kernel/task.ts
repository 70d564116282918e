// The one kind of running thing. A task takes no more work once its signal aborts, resolves when what it held
// is done, and rejects when it cannot go on.
import type { Clock } from './clock.ts'

export type Task = (signal: AbortSignal) => Promise<void>

/**
 * Runs tasks together. The first rejection aborts the others; all are awaited; that first error is thrown.
 * Resolves when every task has resolved.
 */
export async function runTasks(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const both = AbortSignal.any([signal, stop.signal])
  let failed = false
  let first: unknown
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(both)
      } catch (error) {
        if (!failed) first = error
        failed = true
        stop.abort(error)
      }
    }),
  )
  if (failed) throw first
}

/** Does `work` now and then every `everyMs`, never twice at once, until told to stop. */
export const repeat =
  (everyMs: number, clock: Clock, work: (signal: AbortSignal) => Promise<void> | void): Task =>
  async (signal) => {
    while (!signal.aborted) {
      await work(signal)
      await clock.sleep(everyMs, signal)
    }
  }

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
