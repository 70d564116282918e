// Which days are archived by themselves.
import type { TickArchive } from './archive.ts'
import { DAY_MS, dayNumber } from './day-name.ts'

// Late ticks of yesterday go to its file; an archive would only have to be made again for them.
const GRACE_MS = 3_600_000

/** Days that ended `afterDays` days and an hour ago, and are not archived or got late ticks since; the oldest first. */
export const daysToArchive = (archive: Pick<TickArchive, 'list'>, now: number, afterDays: number): string[] =>
  archive
    .list()
    .filter(({ state }) => state !== 'archived')
    .map(({ day }) => day)
    .filter((day) => (dayNumber(day)! + 1 + afterDays) * DAY_MS + GRACE_MS <= now)
