// Waiting for a file that another process has. SQLite blocks the event loop while it waits for a lock, so it hardly does;
// the rest is waited without blocking.
import { randomInt } from 'node:crypto'
import { type Clock, isSluiceError } from '../kernel/index.ts'

/** For `busyMs` of what is opened by who waits here. */
export const BLOCK_MS = 5

export interface BusyOptions {
  readonly clock: Clock
  /** How long another process may be in the way before DATABASE_BUSY, ms. */
  readonly busyMs: number
}

/** Repeats `work`, which must bear it, while it throws DATABASE_BUSY. */
export async function untilFree<T>({ clock, busyMs }: BusyOptions, work: () => T): Promise<T> {
  const end = clock.monotonic() + busyMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isSluiceError(error, 'DATABASE_BUSY') || clock.monotonic() >= end) throw error
    }
    await clock.sleep(randomInt(1, 20))
  }
}
