// One writer at a time in a folder of JSON files, of all processes. It is SQLite's lock on an empty file: the system
// takes it back when its process ends, however that ends, where a file that only says who holds it would stay.
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { type Clock, isSluiceError, makeFolder, SluiceError } from '../kernel/index.ts'
import { inFile } from './sqlite-failures.ts'

export interface FolderLock {
  /** First come, first served within this process. DATABASE_BUSY when another one holds it for too long. */
  hold<T>(work: () => Promise<T>): Promise<T>
  /** Waits for who holds it; afterwards it is refused with USAGE. */
  close(): Promise<void>
}

// Long against the write of a list (some ms), short against what a person notices.
const PAUSE_MS = 10

export function openFolderLock(dir: string, clock: Clock, busyMs: number): FolderLock {
  const path = join(dir, '.lock')
  let file: SqliteFile.Database | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let isClosed = false

  const take = async (): Promise<void> => {
    const end = clock.monotonic() + busyMs
    for (;;) {
      try {
        inFile(path, () => {
          makeFolder(dir)
          file ??= new SqliteFile(path, { timeout: 0 })
          file.exec('begin exclusive')
        })
        return
      } catch (error) {
        if (!isSluiceError(error, 'DATABASE_BUSY') || clock.monotonic() > end) throw error
      }
      await clock.sleep(randomInt(1, PAUSE_MS))
    }
  }
  return {
    hold(work) {
      if (isClosed) throw new SluiceError('USAGE', `${dir} was written to after it was closed.`)
      const result = turn.then(async () => {
        await take()
        try {
          return await work()
        } finally {
          file?.exec('rollback')
        }
      })
      turn = result.catch(() => undefined)
      return result
    },
    async close() {
      isClosed = true
      await turn
      file?.close()
      file = undefined
    },
  }
}
