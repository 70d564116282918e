// Which bar a moment belongs to. All in UTC: a bar begins with its hour, day, Monday or first of the month. An imported
// bar may begin elsewhere (an hour at 09:15, a week on a Tuesday): it keeps its time, and belongs to the longer bar in
// which it begins.
//
// Two weeks are counted from a fixed Monday. The reference paired ISO weeks by the parity of their number, so after a
// year of 53 weeks an odd one follows an odd one and a bar of one week stands between two of two. The Monday here is
// of an even week from 2021 to 2026, where both agree.
import type { Interval } from './candle.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const WEEK = 7 * DAY
/** Monday of ISO week 2 of 2021. */
const TWO_WEEKS_FROM = Date.UTC(2021, 0, 11)
/** 1970-01-05, a Monday. */
const WEEKS_FROM = 4 * DAY

type Regular = { readonly lengthMs: number; readonly from: number }

const REGULAR: Readonly<Record<Exclude<Interval, '1M'>, Regular>> = {
  '1m': { lengthMs: MINUTE, from: 0 },
  '5m': { lengthMs: 5 * MINUTE, from: 0 },
  '15m': { lengthMs: 15 * MINUTE, from: 0 },
  '30m': { lengthMs: 30 * MINUTE, from: 0 },
  '1h': { lengthMs: HOUR, from: 0 },
  '4h': { lengthMs: 4 * HOUR, from: 0 },
  '1D': { lengthMs: DAY, from: 0 },
  '1W': { lengthMs: WEEK, from: WEEKS_FROM },
  '2W': { lengthMs: 2 * WEEK, from: TWO_WEEKS_FROM },
}

/** Beginning of the bar that holds a time, ms UTC. */
export function bucketOf(interval: Interval, time: number): number {
  if (interval === '1M') return monthOf(time, 0)
  const { lengthMs, from } = REGULAR[interval]
  return Math.floor((time - from) / lengthMs) * lengthMs + from
}

/** End of the bar that holds a time, which is the beginning of the next one. */
export function bucketEnd(interval: Interval, time: number): number {
  if (interval === '1M') return monthOf(time, 1)
  return bucketOf(interval, time) + REGULAR[interval].lengthMs
}

/** Where so many bars end, from the one on that holds a time; months as long as that one. */
export function barsEnd(interval: Interval, time: number, bars: number): number {
  const begin = bucketOf(interval, time)
  return begin + (bucketEnd(interval, time) - begin) * bars
}

function monthOf(time: number, later: number): number {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 1)
}
