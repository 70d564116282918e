// Days that are over, rewritten into archives and back. The source is removed only after every tick of it was found in
// what was made from it, and after that has its name on the disk. Who is killed leaves a draft, which the next one
// throws away, or both files, which readers take for one and the next one goes on with.
import { type Clock, messageOf, SluiceError } from '../kernel/index.ts'
import { bytesOf, compressDay, restoreDay } from './archive-day.ts'
import { type Verified, verifyFiles } from './archive-verify.ts'
import { DAY_MS, dayNumber } from './day-name.ts'
import { type DayPaths, fileIdentity, openFolder } from './folder.ts'
import { type FolderDays, openFolderDays } from './folder-days.ts'
import { openGate } from './folder-gate.ts'
import { readSeries } from './read-day.ts'

export interface TickArchiveOptions {
  /** Folder of all days; created when it is missing. */
  readonly dir: string
  readonly clock: Clock
  /** How long a call blocks for other processes, ms. Default: 5,000. */
  readonly busyMs?: number
}

/** `both`: ticks came after the day was archived, or whoever archived or restored it was killed. */
export type DayState = 'open' | 'archived' | 'both'

export interface DayReport {
  /** YYYY-MM-DD. */
  readonly day: string
  readonly state: DayState
  readonly series: number
  readonly ticks: number
  readonly bytes: number
  /** Bytes of what an archive was made from for each of its own; undefined without an archive. */
  readonly ratio: number | undefined
}

export interface TickArchive {
  /** Every day that has a file, the oldest first. */
  list(): DayReport[]
  /**
   * Rewrites a day into its archive, joining what came later. Returns at once where it is archived. FILE_NOT_FOUND when
   * there is nothing of the day, USAGE while it is not over, TICKS_DAMAGED when the archive does not hold what its
   * source holds, DATABASE_BUSY while another process archives or ticks of the day keep coming; the source stays then.
   */
  compress(day: string): DayReport
  /** Reads everything. FILE_NOT_FOUND when there is nothing of the day. */
  verify(day: string): Verified
  /** The way back: the archive becomes an open day again. The errors are those of `compress`. */
  restore(day: string): DayReport
  close(): void
}

export function openTickArchive({ dir, clock, busyMs = 5_000 }: TickArchiveOptions): TickArchive {
  const folder = openFolder(dir)
  const gate = openGate({ root: folder.root, name: 'days', busyMs, reads: true })
  // Two at the same day would remove each other's drafts.
  const lock = openGate({ root: folder.root, name: 'archive', busyMs })
  const days = openFolderDays({ folder, gate, busyMs, max: 1 })
  const looked = openFolderDays({ folder, gate, busyMs, max: 1, looks: true })
  const place = { days, gate }
  const alone = (name: string, work: (paths: DayPaths) => void): DayReport => {
    const paths = folder.paths(dayOf(name))
    lock.alone(() => work(paths))
    return reportOf(days, paths)
  }
  return {
    list: () => [...folder.days('oldest first')].map((day) => reportOf(looked, folder.paths(day))),
    compress: (name) =>
      alone(name, (paths) => {
        if ((paths.day + 1) * DAY_MS > clock.now()) {
          throw new SluiceError('USAGE', `${name} is not over; it can be archived then.`, { day: name })
        }
        compressDay(place, paths)
      }),
    verify(name) {
      const paths = folder.paths(dayOf(name))
      const isThere = [paths.open, paths.archive].some((path) => fileIdentity(path) !== undefined)
      if (!isThere) throw new SluiceError('FILE_NOT_FOUND', `There are no ticks of ${name}.`, { day: name })
      return verifyDay(looked, paths)
    },
    restore: (name) => alone(name, (paths) => restoreDay(place, paths)),
    close() {
      looked.close()
      days.close()
      lock.close()
      gate.close()
    },
  }
}

function dayOf(name: string): number {
  const day = dayNumber(name)
  if (day === undefined) throw new SluiceError('USAGE', `${name} is no day; write YYYY-MM-DD.`, { day: name })
  return day
}

function verifyDay(days: FolderDays, paths: DayPaths): Verified {
  try {
    const files = days.current(paths.day)
    const verified = verifyFiles(paths.name, files)
    if (files.open || fileIdentity(paths.open) === undefined) return verified
    return { ...verified, problems: [...verified.problems, `${paths.open}: has no tables`] }
  } catch (error) {
    // It is so damaged that it cannot be opened.
    return { day: paths.name, series: 0, blocks: 0, ticks: 0, problems: [messageOf(error)] }
  }
}

function reportOf(days: FolderDays, paths: DayPaths): DayReport {
  const files = days.current(paths.day)
  const series = readSeries(files, paths.day)
  const archiveBytes = bytesOf(paths.archive)
  const { archive, open } = files
  return {
    day: paths.name,
    state: archive ? (open ? 'both' : 'archived') : 'open',
    series: series.length,
    ticks: series.reduce((sum, { ticks }) => sum + ticks, 0),
    bytes: bytesOf(paths.open) + archiveBytes,
    ratio: archive && archive.sourceBytes / archiveBytes,
  }
}
