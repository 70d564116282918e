// The store of ticks in SQLite, in one process: what is written blocks the event loop until it is on the disk. The
// writer with a thread of its own takes the same two parts.
import type { Clock } from '../kernel/index.ts'
import { batchOf } from './batch.ts'
import { BLOCK_MS, untilFree } from './sqlite-busy.ts'
import { openTickFiles } from './sqlite-files.ts'
import { openTickReads } from './sqlite-reads.ts'
import type { CopyableTicks, Tick } from './tick.ts'

export interface SqliteTicksOptions {
  /** Folder of all days; created when it is missing. */
  readonly dir: string
  readonly clock: Clock
  /** How long another process may be in the way before DATABASE_BUSY, ms. Default: 5,000. */
  readonly busyMs?: number
}

export function openSqliteTicks({ dir, clock, busyMs = 5_000 }: SqliteTicksOptions): CopyableTicks {
  const files = openTickFiles({ dir, clock, busyMs: BLOCK_MS })
  const reads = openTickReads({ dir, clock, busyMs })
  const busy = { clock, busyMs }
  const write = async (ticks: readonly Tick[], how: 'write' | 'copyIn') => {
    const batch = batchOf(ticks)
    return untilFree(busy, () => files[how](batch))
  }
  return {
    ...reads,
    write: (ticks) => write(ticks, 'write'),
    copyIn: (ticks) => write(ticks, 'copyIn'),
    async close() {
      await untilFree(busy, files.close)
      await reads.close()
    },
  }
}
