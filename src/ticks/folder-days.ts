// The files of the days that are in use, opened. They are opened behind the gate: where a file is removed between the
// system's open and SQLite's first look at its log, a log without a file would stay, which the next file of that name
// would take for its own.
import { rmSync } from 'node:fs'
import SqliteFile from 'better-sqlite3'
import { type DayFile, openDayFile } from './day-file.ts'
import { createTables } from './day-file-changes.ts'
import { type DayPaths, fileIdentity, refuseLinks, syncFolder, type TickFolder } from './folder.ts'
import type { FolderGate } from './folder-gate.ts'
import { inFile } from './sqlite-failures.ts'

/** Usually one of them; both when ticks came after the day was archived, or who archived it was killed. */
export interface DayFiles {
  readonly open: DayFile | undefined
  readonly archive: DayFile | undefined
}

export interface FolderDays {
  /** The files that bear the day's names at this moment. */
  current(day: number): DayFiles
  /** Makes the open file of a day where there is none. Not within `shared` of the gate. */
  create(day: number): void
  /** Days whose files are open here. */
  held(): number[]
  drop(day: number): void
  close(): void
}

export interface FolderDaysOptions {
  readonly folder: TickFolder
  readonly gate: FolderGate
  readonly busyMs: number
  /** Days held open at most; of more the one that was not used for longest is closed. */
  readonly max: number
  /** Of `DayFileOptions`. */
  readonly looks?: boolean
}

export function openFolderDays({ folder, gate, busyMs, max, looks = false }: FolderDaysOptions): FolderDays {
  const held = new Map<number, DayFiles>()

  const drop = (day: number) => {
    const files = held.get(day)
    if (!files) return
    // Not forgotten where the gate is shut: nobody would close them any more.
    gate.shared(() => closeFiles(files))
    held.delete(day)
  }
  const reopen = (paths: DayPaths): DayFiles =>
    gate.shared(() => {
      drop(paths.day)
      refuseLinks(paths)
      const open = openDayFile({ path: paths.open, busyMs, readOnly: false, looks })
      try {
        return { open, archive: openDayFile({ path: paths.archive, busyMs, readOnly: true }) }
      } catch (error) {
        open?.close()
        throw error
      }
    })

  return {
    current(day) {
      const paths = folder.paths(day)
      let files = held.get(day)
      // The open file first: it goes only after the archive is there.
      const isCurrent =
        files?.open?.identity === fileIdentity(paths.open) &&
        files?.archive?.identity === fileIdentity(paths.archive) &&
        !files?.open?.isStale()
      if (files && isCurrent) held.delete(day)
      else files = reopen(paths)
      held.set(day, files)
      for (const oldest of held.keys()) if (held.size > max) drop(oldest)
      return files
    },
    create(day) {
      const paths = folder.paths(day)
      inFile(paths.folder, () => folder.prepare(paths))
      refuseLinks(paths)
      gate.alone(() => createDayFile(paths, busyMs))
    },
    held: () => [...held.keys()],
    drop,
    close() {
      for (const day of [...held.keys()]) drop(day)
    },
  }
}

function closeFiles({ open, archive }: DayFiles): void {
  open?.close()
  archive?.close()
}

function createDayFile(paths: DayPaths, busyMs: number): void {
  const path = paths.open
  // What was left by who was killed while removing the former file of that name.
  if (fileIdentity(path) === undefined) removeLogs(path)
  inFile(path, () => {
    const connection = new SqliteFile(path, { timeout: busyMs })
    try {
      connection.pragma('journal_mode = WAL')
      connection.pragma('synchronous = FULL')
      const isEmpty = connection.pragma('user_version', { simple: true }) === 0
      if (isEmpty) connection.transaction(() => createTables(connection)).immediate()
    } finally {
      connection.close()
    }
  })
  syncFolder(paths.folder)
}

/** The files that SQLite keeps beside one. */
export function removeLogs(path: string): void {
  for (const kind of ['-wal', '-shm', '-journal']) rmSync(path + kind, { force: true })
}
