// An open day where nothing can be written: a backup, a read-only or a full disk. SQLite reads a file with a log only
// where it can put one beside it, and this build takes no `immutable=1`, so the file is read into memory; in that copy
// the two bytes that say so are those of a file without a log.
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { messageOf, SluiceError } from '../kernel/index.ts'

export interface StillFile {
  readonly connection: SqliteFile.Database
  /** Somebody has written to the file, or has it open to do so. */
  isStale(): boolean
}

// A day of ten million ticks is some 150 MB; up to eight days are open at once.
const BYTES_MAX = 256 * 1_024 * 1_024
const FORMAT_AT = 18
const LOG_FORMAT = 2
const PLAIN_FORMAT = 1

/** Somebody has it open to write, or was killed. Without bytes it was only looked at. */
const hasLog = (path: string) => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0

/** Nobody of this process can make a file beside it. */
export function isUnwritable(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK)
    return false
  } catch {
    return true
  }
}

/** As of now. DATABASE_UNAVAILABLE, saying what to do, when it cannot be read so either. */
export function openStill(path: string): StillFile {
  if (hasLog(path)) {
    throw cannot(path, 'it was not closed, so what is newest is in its -wal file, which SQLite has to write')
  }
  const before = changeOf(path)
  if (statSync(path).size > BYTES_MAX) throw cannot(path, `it is larger than ${BYTES_MAX} bytes`)
  const bytes = readFileSync(path)
  for (const at of [FORMAT_AT, FORMAT_AT + 1]) if (bytes[at] === LOG_FORMAT) bytes[at] = PLAIN_FORMAT
  const isStale = () => hasLog(path) || changeOf(path) !== before
  if (isStale()) throw new SluiceError('DATABASE_BUSY', `${path} was written while it was read.`, { path })
  return { connection: new SqliteFile(bytes, { readonly: true }), isStale }
}

function changeOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch (error) {
    return messageOf(error)
  }
}

const cannot = (path: string, why: string) =>
  new SluiceError(
    'DATABASE_UNAVAILABLE',
    `${path} cannot be read, because nothing can be written beside it and ${why}. ` +
      'Copy the folder with all of its files to where it can be written, and set TICKS_DIR to that.',
    { path },
  )
