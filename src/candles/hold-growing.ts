// A file of candles is replaced as a whole, and the bar of a minute changes every 5 s while it grows: with the minutes of a
// year in it, that is 90 MB each time. So a growing bar waits until it is over, at most a minute; all others are written
// at once.
import { bucketEnd, bucketOf } from './bucket.ts'
import type { Bar, Interval } from './candle.ts'

/** Beginnings of the first and the last bar, ms UTC, both inclusive. */
export interface Range {
  readonly from: number
  readonly to: number
}

export interface HeldRange extends Range {
  /** ms UTC. */
  readonly since: number
}

export type Ranges = Partial<Record<Interval, Range>>
export type HeldRanges = Partial<Record<Interval, HeldRange>>

/** How long a growing bar waits at most, ms. */
const HOLD_MS = 60_000

/** Without growing bars and those that have just ended: the files get them up to a minute later. @param now ms UTC. */
export const settledBars = <B extends Bar>(bars: readonly B[], now: number): B[] =>
  bars.filter(({ interval, time }) => bucketEnd(interval, time) <= now - 2 * HOLD_MS)

export const joinRanges = (one: Range | undefined, other: Range): Range => ({
  from: Math.min(one?.from ?? other.from, other.from),
  to: Math.max(one?.to ?? other.to, other.to),
})

export const entriesOf = <T>(ranges: Partial<Record<Interval, T>>): [Interval, T][] =>
  Object.entries(ranges) as [Interval, T][]

export const isHeld = (interval: Interval, { to, since }: HeldRange, now: number): boolean =>
  // The clock may have been put back.
  bucketEnd(interval, to) > now && Math.abs(now - since) < HOLD_MS

/** What is to be written now of what has changed, and what waits. */
export function holdGrowing(changed: Ranges, held: HeldRanges, now: number) {
  const due: Ranges = {}
  const waiting: HeldRanges = {}
  for (const [interval, range] of entriesOf(held)) {
    if (isHeld(interval, range, now)) waiting[interval] = range
    else due[interval] = { from: range.from, to: range.to }
  }
  for (const [interval, range] of entriesOf(changed)) {
    const before = waiting[interval]
    const growing = bucketEnd(interval, range.to) > now ? bucketOf(interval, range.to) : undefined
    const closed = growing === undefined ? range : { from: range.from, to: growing - 1 }
    if (closed.from <= closed.to) due[interval] = joinRanges(due[interval], closed)
    if (growing === undefined) continue
    const since = before?.since ?? now
    waiting[interval] = {
      ...joinRanges(before, { from: Math.max(range.from, growing), to: range.to }),
      since,
    }
  }
  return { due, waiting }
}
