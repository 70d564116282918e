// The store of ticks in SQLite, in one process: what is written blocks the event loop until it is on the disk. The
// writer with a thread of its own takes the same two parts.
import { randomInt } from 'node:crypto'
import { type Clock, isSluiceError } from '../kernel/index.ts'
import { batchOf } from './batch.ts'
import { openTickFiles } from './sqlite-files.ts'
import { openTickReads } from './sqlite-reads.ts'
import type { TickStore } from './tick.ts'

export interface SqliteTicksOptions {
  /** Folder of all days; created when it is missing. */
  readonly dir: string
  readonly clock: Clock
  /** How long another process may be in the way before DATABASE_BUSY, ms. Default: 5,000. */
  readonly busyMs?: number
}

// SQLite blocks the event loop while it waits for a lock, so it hardly does; the rest is waited without blocking.
const BLOCK_MS = 5

export function openSqliteTicks({ dir, clock, busyMs = 5_000 }: SqliteTicksOptions): TickStore {
  const files = openTickFiles({ dir, clock, busyMs: BLOCK_MS })
  const reads = openTickReads({ dir })
  return {
    ...reads,
    async write(ticks) {
      const batch = batchOf(ticks)
      const end = clock.monotonic() + busyMs
      for (;;) {
        try {
          return files.write(batch)
        } catch (error) {
          if (!isSluiceError(error, 'DATABASE_BUSY') || clock.monotonic() >= end) throw error
        }
        await clock.sleep(randomInt(1, 20))
      }
    },
    async close() {
      files.close()
      await reads.close()
    },
  }
}
