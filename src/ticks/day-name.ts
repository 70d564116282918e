// UTC days and the names of their files. Nothing else in the folder of ticks is touched.
import { isoTime } from '../kernel/index.ts'

export const DAY_MS = 86_400_000
export const NS_A_MS = 1_000_000
export const DAY_NS = DAY_MS * NS_A_MS

/** YYYY-MM-DD of a count of days since 1970-01-01. */
export const dayName = (day: number): string => isoTime(day * DAY_MS).slice(0, 10)

/** The count of days since 1970-01-01; undefined for what is no day of the calendar after 1969. */
export function dayNumber(name: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(name)) return undefined
  const day = Date.parse(name) / DAY_MS
  return day >= 0 && dayName(day) === name ? day : undefined
}

export interface DayFileName {
  readonly day: number
  readonly isArchive: boolean
}

/** undefined for every other file. */
export function dayOfFile(name: string): DayFileName | undefined {
  const match = /^ticks_(\d{4}-\d{2}-\d{2})(\.archive)?\.db$/.exec(name)
  const day = match ? dayNumber(match[1]!) : undefined
  return day === undefined ? undefined : { day, isArchive: match![2] !== undefined }
}
