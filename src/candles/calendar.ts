// When a market trades, and so how long an answer about it may be kept. Ho Chi Minh City: Monday to Friday 09:00 to
// 11:30 and 13:00 to 15:00, but for holidays; it has had UTC+7 without summer time since 1975. Others trade always.
import { ALWAYS_OPEN, type MarketHours } from '../catalog/index.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const ZONE_MS = 7 * HOUR
/** Local ms of the day: [from, to). */
const SESSIONS = [
  [9 * HOUR, 11 * HOUR + 30 * MINUTE],
  [13 * HOUR, 15 * HOUR],
] as const
/** A year without a session is a list of holidays that is wrong. */
const LOOK_DAYS = 366

/** @param holidays until which local ms each day is traded: `parseHolidays`. */
export function vietnamCalendar(holidays: ReadonlyMap<string, number> = new Map()): MarketHours {
  /** Local ms of the day until which the day is traded. */
  const closesAt = (day: number) => {
    // 1970-01-01 was a Thursday.
    const weekday = (((day / DAY + 4) % 7) + 7) % 7
    if (weekday === 0 || weekday === 6) return 0
    return holidays.get(dateText(day)) ?? DAY
  }
  const nextOpen = (time: number) => {
    const local = time + ZONE_MS
    const today = Math.floor(local / DAY) * DAY
    for (let day = today; day <= today + LOOK_DAYS * DAY; day += DAY) {
      for (const [from, to] of SESSIONS) {
        const opens = Math.max(local, day + from)
        if (opens < day + Math.min(to, closesAt(day))) return opens - ZONE_MS
      }
    }
    return Number.POSITIVE_INFINITY
  }
  return { isOpen: (time) => nextOpen(time) === time, nextOpen }
}

const dateText = (time: number) => new Date(time).toISOString().slice(0, 10)

/** What bars of Ho Chi Minh City stand under. */
const VIETNAM = 'vn'

/** Of the market that a source tells of: only one of them closes. @param holidays see `vietnamCalendar`. */
export function calendarOf(holidays: ReadonlyMap<string, number>): (source: string) => MarketHours {
  const vietnam = vietnamCalendar(holidays)
  return (source) => (source === VIETNAM ? vietnam : ALWAYS_OPEN)
}

/** How long an answer may be kept: prices move while the market is open, and corrections come at any time. */
export const maxAgeSeconds = (calendar: MarketHours, time: number): number =>
  calendar.isOpen(time) ? 30 : 120
