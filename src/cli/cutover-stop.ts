// Long commands that somebody may stop: what that leaves is said instead of an error.
import { stopSignal } from './stop-signal.ts'
import type { Terminal } from './terminal.ts'

/** The result of `work`; undefined, and exit code 1, when it was stopped. */
export async function unlessStopped<T>(
  terminal: Terminal,
  says: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const stop = stopSignal()
  try {
    return await work(stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) throw error
    terminal.note(says, 'stopped')
    process.exitCode = 1
    return undefined
  } finally {
    stop.release()
  }
}
