// Waits for a locked file without blocking the event loop.
import { randomInt } from 'node:crypto'
import type { Clock } from '../kernel/index.ts'
import { isBusy, sqliteError } from './sqlite-errors.ts'

/** Tries until the file is free; DATABASE_BUSY after `waitMs`, other errors at once. */
export async function untilFree<T>(path: string, clock: Clock, waitMs: number, work: () => T): Promise<T> {
  const end = clock.monotonic() + waitMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || clock.monotonic() >= end) throw sqliteError(error, path)
    }
    await clock.sleep(randomInt(1, 20))
  }
}
