// Writes the ticks of a day's files into a new one, series by series in full blocks. The new file has a name that
// nobody reads; it gets the right one when it was compared.
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import SqliteFile from 'better-sqlite3'
import { runsOf, seriesOf } from './archive-compare.ts'
import { buildBlocks } from './block-builder.ts'
import { type DayFile, openDayFile } from './day-file.ts'
import { addSeries, addTicks, createTables, type MadeFrom, saveSeries } from './day-file-changes.ts'
import { removeLogs } from './folder-days.ts'
import { inFile } from './sqlite-failures.ts'

export interface Draft {
  readonly path: string
  /** Archives are compressed; open days are not, and have a log. */
  readonly isArchive: boolean
  readonly madeFrom: MadeFrom
  /** How many of the ticks of a series are in that file. */
  shared(symbol: string, source: string): number
}

// A block fills its last page by half on average: with the usual 4 kB that would be one part in eight of an archive.
const ARCHIVE_PAGE_BYTES = 1_024

/** On the disk when it returns. */
export function writeDraft(sources: readonly DayFile[], draft: Draft): void {
  const { path, isArchive } = draft
  removeDraft(path)
  inFile(path, () => {
    const connection = new SqliteFile(path)
    try {
      if (isArchive) connection.pragma(`page_size = ${ARCHIVE_PAGE_BYTES}`)
      connection.pragma('journal_mode = off')
      createTables(connection, draft.madeFrom)
    } finally {
      connection.close()
    }
    const file = openDayFile({ path, busyMs: 0, readOnly: false })!
    try {
      copyTicks(sources, file, draft)
    } finally {
      file.close()
    }
  })
  const bytes = openSync(path, 'r')
  try {
    fsyncSync(bytes)
  } finally {
    closeSync(bytes)
  }
}

function copyTicks(sources: readonly DayFile[], file: DayFile, { isArchive, shared }: Draft): void {
  // A draft whose maker is killed is thrown away.
  file.connection.pragma('journal_mode = off')
  file.connection.pragma('synchronous = off')
  file.statement('begin').run()
  for (const name of seriesOf(sources)) {
    const row = addSeries(file, { ...name, shared: shared(name.symbol, name.source) })
    buildBlocks(runsOf(sources, name), (columns, from, to) =>
      addTicks(file, row, columns, from, to, isArchive),
    )
    saveSeries(file, row)
  }
  file.statement('commit').run()
  if (!isArchive) file.connection.pragma('journal_mode = wal')
}

export function removeDraft(path: string): void {
  rmSync(path, { force: true })
  removeLogs(path)
}
