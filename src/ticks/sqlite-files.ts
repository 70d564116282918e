// Writes batches into the files of their UTC days. Synchronous, because it is meant for a thread of its own.
import { type Clock, isSluiceError, SluiceError } from '../kernel/index.ts'
import type { TickBatch } from './batch.ts'
import type { TickColumns } from './columns.ts'
import type { DayFile } from './day-file.ts'
import { copyParts } from './day-file-copy.ts'
import { partsOf, type SeriesPart } from './day-file-parts.ts'
import { type OpenDay, writeParts } from './day-file-write.ts'
import { DAY_MS } from './day-name.ts'
import { openFolder } from './folder.ts'
import { type FolderDays, openFolderDays } from './folder-days.ts'
import { type FolderGate, openGate } from './folder-gate.ts'
import { inFile } from './sqlite-failures.ts'
import type { Written } from './tick.ts'

export interface TickFilesOptions {
  /** Folder of all days; created when it is missing. */
  readonly dir: string
  readonly clock: Clock
  /** How long a call blocks for a file that another process writes, ms. Default: 5,000. */
  readonly busyMs?: number
  /** How long after its end a day's file stays open for late ticks, ms. Default: 60,000. */
  readonly graceMs?: number
}

export interface TickFiles {
  /**
   * Returns when all are durable, one transaction for each day. Retries nothing: DATABASE_BUSY (another process
   * writes), DATABASE_UNAVAILABLE (the disk is full or fails) and TICKS_DAMAGED are thrown. The same batch object
   * written again goes on behind the days that were committed, and its count is that of the whole.
   */
  write(batch: TickBatch): Written
  /** For ticks of another store (`CopyableTicks`); as `write`, and TICKS_ARCHIVED. */
  copyIn(batch: TickBatch): Written
  /** Moves what it can from the logs into the files, and closes those of days that are over. Call it now and then. */
  checkpoint(): void
  close(): void
}

// A feed writes into one day, around midnight into two; an import goes through many, one after the other.
const DAYS_OPEN_MAX = 4
// Somebody may archive the day between two steps, but not again and again.
const ATTEMPTS = 5

export function openTickFiles(options: TickFilesOptions): TickFiles {
  const { dir, clock, busyMs = 5_000, graceMs = 60_000 } = options
  const folder = openFolder(dir)
  const gate = openGate({ root: folder.root, name: 'days', busyMs })
  const days = openFolderDays({ folder, gate, busyMs, max: DAYS_OPEN_MAX })
  const begun = new WeakMap<TickBatch, Map<number, Written>>()

  const write = (batch: TickBatch, writeInto: WriteInto): Written => {
    const { columns, days: parts } = partsOf(batch)
    const done = begun.get(batch) ?? new Map<number, Written>()
    begun.set(batch, done)
    for (const part of parts) {
      if (done.has(part.day)) continue
      const into = (files: OpenDay) => writeInto(files, columns, part.series)
      done.set(part.day, writeDay(days, gate, part.day, into))
    }
    begun.delete(batch)
    return sum([...done.values()])
  }
  return {
    write: (batch) => write(batch, writeParts),
    copyIn: (batch) => write(batch, copyParts),
    checkpoint() {
      for (const day of days.held()) {
        const { open } = days.current(day)
        if (open) inFile(open.path, () => open.connection.pragma('wal_checkpoint(PASSIVE)'))
        if ((day + 1) * DAY_MS + graceMs <= clock.now()) days.drop(day)
      }
    },
    close() {
      days.close()
      gate.close()
    },
  }
}

const sum = (parts: readonly Written[]): Written => ({
  stored: parts.reduce((total, { stored }) => total + stored, 0),
  duplicate: parts.reduce((total, { duplicate }) => total + duplicate, 0),
})

type WriteInto = (files: OpenDay, columns: TickColumns, series: readonly SeriesPart[]) => Written

function writeDay(
  days: FolderDays,
  gate: FolderGate,
  day: number,
  writeInto: (files: OpenDay) => Written,
): Written {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const written = whileSound(days, day, () =>
      gate.shared(() => {
        const { open, archive } = days.current(day)
        return open && inTransaction(open, () => writeInto({ open, archive }))
      }),
    )
    if (written) return written
    days.create(day)
  }
  throw new SluiceError('DATABASE_BUSY', 'The file of a day was archived each time that it was made.', {
    day,
  })
}

/** A file that failed is opened anew the next time: the disk may be another one by then. */
function whileSound<T>(days: FolderDays, day: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!isSluiceError(error, 'DATABASE_BUSY')) days.drop(day)
    throw error
  }
}

function inTransaction<T>(file: DayFile, work: () => T): T {
  return inFile(file.path, () => {
    file.statement('begin immediate').run()
    try {
      const result = work()
      file.statement('commit').run()
      return result
    } catch (error) {
      // A full disk may have rolled back already.
      if (file.connection.inTransaction) file.statement('rollback').run()
      throw error
    }
  })
}
