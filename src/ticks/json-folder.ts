// The files of one folder: which there are, and each brought up to date and whole before it is used.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../kernel/index.ts'
import { type JsonFile, openJsonFile, type Repair, type Seen } from './json-file.ts'
import type { FolderLock } from './json-lock.ts'
import { dayOf, fileOf, folderOf, symbolOf } from './json-names.ts'
import type { Place } from './json-read.ts'
import { tickFileError } from './sqlite-failures.ts'

export interface JsonFolder {
  symbols(): string[]
  /** Days since 1970 that have a file, rising. */
  days(symbol: string): number[]
  file(symbol: string, day: number): JsonFile
  /**
   * The files that hold ticks of a UTC day, in the order of their names: the reference names them by the day at its own
   * place, so the neighbours count. `locked` where the caller holds the lock.
   */
  places(symbol: string, day: number, locked?: boolean): Promise<Place[]>
  /** What is known of a file; undefined where there is none. */
  look(symbol: string, day: number, locked?: boolean): Promise<Place | undefined>
}

// Of more files the one that was not asked for longest is read anew.
const FILES_MAX = 512
// Another process is in the middle of a write for a fraction of this.
const PATIENCE_MS = 3
const PATIENCE_TRIES = 3

interface FolderOptions {
  readonly dir: string
  readonly lock: FolderLock
  readonly clock: Clock
  readonly onRepair: (repair: Repair) => void
}

export function openJsonFolder({ dir, lock, clock, onRepair }: FolderOptions): JsonFolder {
  const files = new Map<string, JsonFile>()

  const file = (symbol: string, day: number): JsonFile => {
    const path = join(dir, folderOf(symbol), fileOf(day))
    const known = files.get(path) ?? openJsonFile(path, symbol, onRepair)
    files.delete(path)
    files.set(path, known)
    const [oldest] = files.keys()
    if (files.size > FILES_MAX) files.delete(oldest!)
    return known
  }
  const whole = async (one: JsonFile, locked: boolean): Promise<Seen | undefined> => {
    let seen = await one.look()
    for (let tries = 0; seen && !seen.isWhole && !locked && tries < PATIENCE_TRIES; tries++) {
      await clock.sleep(PATIENCE_MS)
      seen = await one.look()
    }
    if (!seen || seen.isWhole) return seen
    await (locked ? one.repair() : lock.hold(one.repair))
    return one.look()
  }
  const look = async (symbol: string, day: number, locked = false): Promise<Place | undefined> => {
    const found = file(symbol, day)
    const seen = await whole(found, locked)
    return seen && { file: found, index: seen.index, inode: seen.inode }
  }
  return {
    symbols: () => namesIn(dir).flatMap((name) => symbolOf(name) ?? []),
    days: (symbol) =>
      namesIn(join(dir, folderOf(symbol)))
        .flatMap((name) => dayOf(name) ?? [])
        .sort((a, b) => a - b),
    file,
    look,
    async places(symbol, day, locked) {
      const near = await Promise.all([day - 1, day, day + 1].map((each) => look(symbol, each, locked)))
      return near.filter((place) => place?.index.days.has(day)) as Place[]
    },
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // A file that lies among the folders of the symbols is none of them.
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw tickFileError(error, folder)
  }
}
