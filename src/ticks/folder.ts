// The folder of ticks: YYYY/MM/ticks_YYYY-MM-DD.db for each day, and the same with .archive for one that was rewritten.
// Links are not followed, so that no file outside of the folder is read, written or removed.
import { closeSync, type Dirent, fsyncSync, lstatSync, openSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { makeFolder, SluiceError } from '../kernel/index.ts'
import { dayName, dayOfFile } from './day-name.ts'
import { inFile } from './sqlite-failures.ts'

// 9999-12-31; later days have longer names.
const LAST_DAY = 2_932_896

export interface DayPaths {
  readonly day: number
  /** YYYY-MM-DD. */
  readonly name: string
  readonly folder: string
  readonly open: string
  readonly archive: string
  /** What is being made; left behind by who was killed. */
  readonly draft: string
}

export type DayOrder = 'oldest first' | 'newest first'

export interface TickFolder {
  readonly root: string
  paths(day: number): DayPaths
  /** Days that have a file, from `first` to `last`, both inclusive. Months are looked into as they come. */
  days(order: DayOrder, first?: number, last?: number): Iterable<number>
  /** Makes the folder of a day, for good. */
  prepare(paths: DayPaths): void
}

export function openFolder(dir: string): TickFolder {
  const root = inFile(dir, () => {
    makeFolder(dir)
    return realpathSync(dir)
  })
  return {
    root,
    paths(day) {
      const name = dayName(day)
      const folder = join(root, name.slice(0, 4), name.slice(5, 7))
      const open = join(folder, `ticks_${name}.db`)
      const archive = join(folder, `ticks_${name}.archive.db`)
      return { day, name, folder, open, archive, draft: `${archive}.draft` }
    },
    days: (order, first = 0, last = LAST_DAY) => daysBetween(root, order, first, last),
    prepare({ folder }) {
      if (makeFolder(folder) !== undefined) {
        syncFolder(dirname(folder))
        syncFolder(root)
      }
    },
  }
}

function* daysBetween(root: string, order: DayOrder, first: number, last: number): Generator<number> {
  const [from, to] = [dayName(first), dayName(last)]
  const turned = <T>(list: T[]): T[] => (order === 'oldest first' ? list : list.reverse())
  const inside = (name: string) => name >= from.slice(0, name.length) && name <= to.slice(0, name.length)
  for (const year of turned(namesIn(root, /^\d{4}$/))) {
    if (!inside(year)) continue
    for (const month of turned(namesIn(join(root, year), /^\d{2}$/))) {
      if (inside(`${year}-${month}`))
        yield* turned(daysIn(join(root, year, month))).filter((day) => inside(dayName(day)))
    }
  }
}

const entriesIn = (path: string): Dirent[] => inFile(path, () => readdirSync(path, { withFileTypes: true }))

const namesIn = (path: string, name: RegExp): string[] =>
  entriesIn(path)
    .filter((entry) => entry.isDirectory() && name.test(entry.name))
    .map((entry) => entry.name)
    .sort()

/** Rising; a day that has two files comes once, and one that lies in another month's folder does not. */
function daysIn(path: string): number[] {
  const [year, month] = path.split(sep).slice(-2)
  const names = entriesIn(path).filter((entry) => entry.isFile())
  const days = names.map(({ name }) => dayOfFile(name)?.day).filter((day) => day !== undefined)
  const here = days.filter((day) => dayName(day).startsWith(`${year}-${month}-`))
  return [...new Set(here)].sort((a, b) => a - b)
}

/** The file's number in its file system, which tells two files of one name apart; undefined when there is none. */
export function fileIdentity(path: string): number | undefined {
  const found = inFile(path, () => lstatSync(path, { throwIfNoEntry: false }))
  if (!found) return undefined
  if (found.isFile()) return found.ino
  throw new SluiceError('DATABASE_INVALID', `${path} is no plain file; links are not followed.`, { path })
}

/** Throws when a folder on the way to a day's files is a link. */
export function refuseLinks({ folder }: DayPaths): void {
  for (const path of [dirname(folder), folder]) {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) continue
    throw new SluiceError('DATABASE_INVALID', `${path} is a link; links are not followed.`, { path })
  }
}

/** What was made, renamed or removed in it is so after a power cut as well. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
