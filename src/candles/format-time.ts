// Times of candles as text. A day is a date, a shorter bar a time without a zone, both in UTC; the first answers of
// the reference had a space where the later ones have a T.
import type { Interval } from './candle.ts'

const DAILY: ReadonlySet<Interval> = new Set(['1D', '1W', '2W', '1M'])
export const isDaily = (interval: Interval): boolean => DAILY.has(interval)

const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:(Z)|([+-])(\d{2}):?(\d{2}))?)?$/

/** 2025-08-25, or 2025-08-25T02:15:00; what has parts below that is written out. */
export function formatTime(interval: Interval, time: number, between: 'T' | ' ' = 'T'): string {
  const iso = new Date(time).toISOString()
  if (!iso.endsWith('.000Z')) return iso
  if (isDaily(interval) && iso.endsWith('T00:00:00.000Z')) return iso.slice(0, -14)
  return `${iso.slice(0, -14)}${between}${iso.slice(-13, -5)}`
}

/** ms UTC of a date, a time without a zone (taken as UTC) or one with; undefined for what is none. */
export function parseTime(text: string): number | undefined {
  const match = TIME.exec(text)
  if (!match) return undefined
  const part = (i: number) => Number(match[i] ?? 0)
  const [year, month, day] = [part(1), part(2) - 1, part(3)]
  const [hour, minute, second] = [part(4), part(5), part(6)]
  const [zoneHours, zoneMinutes] = [part(10), part(11)]
  if (hour > 23 || minute > 59 || second > 59 || zoneHours > 23 || zoneMinutes > 59) return undefined
  const midnight = Date.UTC(year, month, day)
  const date = new Date(midnight)
  // 31 April rolls over to May, and a year below 100 into another century.
  const isDate = date.getUTCFullYear() === year && date.getUTCMonth() === month && date.getUTCDate() === day
  if (!isDate) return undefined
  const aheadMs = (zoneHours * 60 + zoneMinutes) * 60_000 * (match[9] === '-' ? -1 : 1)
  const ms = Number(`${match[7] ?? ''}000`.slice(0, 3))
  return midnight + ((hour * 60 + minute) * 60 + second) * 1_000 + ms - aheadMs
}
