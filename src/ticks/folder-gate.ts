// Who may touch the files of the folder: many who write or open them, or one who makes, replaces or removes them. A
// writer that was about to commit into a file that is being removed would lose what it acknowledges. It is a lock of
// SQLite on a file of its own, because those end with their process, however it ends.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { SluiceError } from '../kernel/index.ts'
import { isUnwritable } from './day-file-still.ts'
import { inFile } from './sqlite-failures.ts'

export interface FolderGate {
  /** DATABASE_BUSY when somebody is alone for too long, USAGE once it is closed. May be nested. */
  shared<T>(work: () => T): T
  /** DATABASE_BUSY when others do not leave in time. Not within `shared`. */
  alone<T>(work: () => T): T
  close(): void
}

interface Lock {
  readonly file: SqliteFile.Database
  readonly begin: SqliteFile.Statement
  readonly beginAlone: SqliteFile.Statement
  readonly enter: SqliteFile.Statement
  readonly end: SqliteFile.Statement
}

export interface FolderGateOptions {
  readonly root: string
  /** What it guards. */
  readonly name: string
  /** How long the thread blocks for it, ms. */
  readonly busyMs: number
  /** Nothing is written behind `shared`: then the file may be missing where it cannot be made. */
  readonly reads?: boolean
}

/** The file is made at the first use. */
export function openGate({ root, name, busyMs, reads = false }: FolderGateOptions): FolderGate {
  const path = join(root, `${name}.lock`)
  let opened: Lock | undefined
  let isClosed = false
  let depth = 0

  const lock = (): Lock => {
    if (isClosed) throw new SluiceError('USAGE', `${root} was closed; open it again.`)
    opened ??= openLock(path, busyMs)
    return opened
  }

  /** A copy of the files alone, where nobody of this process can make or remove one. */
  const isUnguarded = () => reads && !opened && !existsSync(path) && isUnwritable(path)

  const inside = <T>(work: () => T): T => {
    depth++
    try {
      return work()
    } finally {
      depth--
      if (depth === 0) inFile(path, () => opened?.end.run())
    }
  }
  return {
    shared(work) {
      if (isUnguarded()) return work()
      if (depth === 0) inFile(path, () => enter(lock()))
      return inside(work)
    },
    alone(work) {
      inFile(path, () => lock().beginAlone.run())
      return inside(work)
    },
    close() {
      isClosed = true
      opened?.file.close()
    },
  }
}

function openLock(path: string, busyMs: number): Lock {
  const file = new SqliteFile(path, { timeout: busyMs })
  try {
    // An empty file has no page that could be locked for reading.
    file.exec('create table if not exists gate (key integer)')
    return {
      file,
      begin: file.prepare('begin'),
      beginAlone: file.prepare('begin exclusive'),
      enter: file.prepare('select 1 from gate'),
      end: file.prepare('commit'),
    }
  } catch (error) {
    file.close()
    throw error
  }
}

/** The lock is taken by the first read, not by BEGIN. */
function enter({ begin, enter: read, end }: Lock): void {
  begin.run()
  try {
    read.get()
  } catch (error) {
    end.run()
    throw error
  }
}
