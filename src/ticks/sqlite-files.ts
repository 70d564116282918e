// Writes batches into the files of their UTC days. Synchronous, because it is meant for a thread of its own.
import type { Clock } from '../kernel/index.ts'
import { SluiceError } from '../kernel/index.ts'
import type { TickBatch } from './batch.ts'
import type { Written } from './tick.ts'

export interface TickFilesOptions {
  /** Folder of all days; created when it is missing. */
  readonly dir: string
  readonly clock: Clock
  /** How long a call blocks for a file that another process writes. Default: 5,000. */
  readonly busyMs?: number
  /** How long after its end a day's file stays open for late ticks. Default: 60,000. */
  readonly graceMs?: number
}

export interface TickFiles {
  /**
   * Returns when all are durable, one transaction for each day. Retries nothing: DATABASE_BUSY (another process
   * writes), DATABASE_UNAVAILABLE (disk full or failing) and DATABASE_INVALID (a damaged file) are thrown. The same
   * batch object written again goes on behind the days that were committed, and its count is that of the whole.
   */
  write(batch: TickBatch): Written
  /** Moves what it can from the logs into the files, and closes those of days that are over. Call it now and then. */
  checkpoint(): void
  close(): void
}

export function openTickFiles(options: TickFilesOptions): TickFiles {
  throw new SluiceError('INTERNAL', `${options.dir}: files of ticks cannot be written yet.`)
}
