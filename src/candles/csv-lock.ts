// One writer of a folder at a time, also across processes. What is locked is a file of SQLite: the system lets go of
// it when its process ends in whatever way, so there is no stale lock to detect and none to take away from a living
// owner by mistake.
import { join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { type Clock, makeFolder, messageOf, SluiceError } from '../kernel/index.ts'

export interface FolderLock {
  /** Runs works one after another. Rejects with DATABASE_BUSY when another process held the folder for too long. */
  hold<T>(work: () => Promise<T>): Promise<T>
  /** When what is running has ended. */
  close(): Promise<void>
}

export const LOCK_FILE = '.writer.lock'
const TRY_EVERY_MS = 10

export function openFolderLock(dir: string, clock: Clock, waitMs: number): FolderLock {
  let last: Promise<unknown> = Promise.resolve()
  let file: SqliteFile.Database | undefined

  async function locked<T>(work: () => Promise<T>): Promise<T> {
    file ??= openFile(dir)
    const deadline = clock.monotonic() + waitMs
    while (!tryLock(file, dir)) {
      if (clock.monotonic() >= deadline) {
        const message = `${dir} was held by another process that writes candles there for ${waitMs} ms.`
        throw new SluiceError('DATABASE_BUSY', message, { dir, waitMs })
      }
      await clock.sleep(TRY_EVERY_MS)
    }
    try {
      return await work()
    } finally {
      file.exec('rollback')
    }
  }

  return {
    hold(work) {
      const result = last.then(() => locked(work))
      last = result.catch(() => undefined)
      return result
    },
    async close() {
      await last
      file?.close()
      file = undefined
    },
  }
}

function openFile(dir: string): SqliteFile.Database {
  try {
    makeFolder(dir)
    return new SqliteFile(join(dir, LOCK_FILE), { timeout: 0 })
  } catch (error) {
    throw unavailable(dir, error)
  }
}

function tryLock(file: SqliteFile.Database, dir: string): boolean {
  try {
    file.exec('begin exclusive')
    return true
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return false
    throw unavailable(dir, error)
  }
}

const unavailable = (dir: string, error: unknown) =>
  new SluiceError('DATABASE_UNAVAILABLE', `${dir} cannot be written: ${messageOf(error)}.`, { dir }, error)
