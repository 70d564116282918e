// Who may touch the files of the folder: many who write or open them, or one who makes, replaces or removes them. A
// writer that was about to commit into a file that is being removed would lose what it acknowledges. It is a lock of
// SQLite on a file of its own, because those end with their process, however it ends.
import { join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { inFile } from './sqlite-failures.ts'

export interface FolderGate {
  /** DATABASE_BUSY when somebody is alone for too long. May be nested. */
  shared<T>(work: () => T): T
  /** DATABASE_BUSY when others do not leave in time. Not within `shared`. */
  alone<T>(work: () => T): T
  close(): void
}

/** `name` tells what it guards; `busyMs` is how long the thread blocks for it. */
export function openGate(root: string, name: string, busyMs: number): FolderGate {
  const path = join(root, `${name}.lock`)
  const file = inFile(path, () => {
    const opened = new SqliteFile(path, { timeout: busyMs })
    // An empty file has no page that could be locked for reading.
    opened.exec('create table if not exists gate (key integer)')
    return opened
  })
  const enter = file.prepare('select 1 from gate')
  const [begin, beginAlone, end] = ['begin', 'begin exclusive', 'commit'].map((text) =>
    file.prepare(text),
  ) as [SqliteFile.Statement, SqliteFile.Statement, SqliteFile.Statement]
  let depth = 0

  const leave = () => {
    depth--
    if (depth === 0 && file.inTransaction) end.run()
  }
  return {
    shared(work) {
      if (depth === 0) {
        inFile(path, () => {
          begin.run()
          try {
            enter.get()
          } catch (error) {
            end.run()
            throw error
          }
        })
      }
      depth++
      try {
        return work()
      } finally {
        leave()
      }
    },
    alone(work) {
      inFile(path, () => beginAlone.run())
      depth++
      try {
        return work()
      } finally {
        leave()
      }
    },
    close: () => file.close(),
  }
}
