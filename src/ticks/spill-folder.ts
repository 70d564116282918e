// Whose spill files are whose: each writer has a folder of its own and holds a lock in it. The system lets go of the
// lock when the process ends in whatever way, so a folder whose lock can be had belongs to nobody any more. SQLite is
// what takes the lock: Node has no call for it.
import { readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import SqliteFile from 'better-sqlite3'
import { type Clock, makeFolder, randomId } from '../kernel/index.ts'

const LOCK = 'lock'
const SEGMENT = /^\d{6}(?:\.(\d{4}-\d{2}-\d{2}))?\.ticks$/

export interface SpillFolder {
  readonly path: string
  /** Paths of the files in it, the oldest first. */
  files(): string[]
  /** With all that is in it. */
  remove(): void
  /** Leaves it to the next who looks for it. */
  leave(): void
}

/** A new one under `root`. */
export function makeSpillFolder(root: string, clock: Clock): SpillFolder {
  for (;;) {
    // Sorted by name they are sorted by age.
    const path = join(root, `${String(clock.now()).padStart(15, '0')}-${randomId().slice(0, 8)}`)
    makeFolder(path)
    try {
      const claimed = claim(path)
      // Not ours: somebody who starts in this moment took it for left behind.
      if (claimed) return claimed
    } catch (error) {
      // It is tried again every second: on a full disk 694 empty folders were left in ten minutes.
      rmSync(path, { recursive: true, force: true })
      throw error
    }
  }
}

/** Those of writers that are gone, the oldest first; they are ours then. */
export function leftFolders(root: string): SpillFolder[] {
  return listOf(root)
    .filter((name) => /^\d{15}-/.test(name))
    .sort()
    .flatMap((name) => claim(join(root, name)) ?? [])
}

/** With the day, YYYY-MM-DD, where all ticks of the file are of one that did not take them. */
export const segmentName = (number: number, day: string | undefined) =>
  `${String(number).padStart(6, '0')}${day === undefined ? '' : `.${day}`}.ticks`

export const dayOfSegment = (path: string): string | undefined => SEGMENT.exec(basename(path))?.[1]

function claim(path: string): SpillFolder | undefined {
  const lock = lockIn(path)
  if (!lock) return undefined
  return {
    path,
    files: () =>
      listOf(path)
        .filter((name) => SEGMENT.test(name))
        .sort()
        .map((name) => join(path, name)),
    remove() {
      rmSync(path, { recursive: true, force: true })
      lock.close()
    },
    leave: () => void lock.close(),
  }
}

function lockIn(path: string): SqliteFile.Database | undefined {
  const file = new SqliteFile(join(path, LOCK), { timeout: 0 })
  try {
    file.exec('BEGIN EXCLUSIVE')
    return file
  } catch (error) {
    file.close()
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
}

function listOf(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
