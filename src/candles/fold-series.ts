// The bars of one symbol at one venue that may still change: the growing one of each interval, and those that ended
// less than two minutes ago.
import type { TickBar } from '../catalog/index.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import {
  type GrowingBar,
  growBar,
  type MidTick,
  newBar,
  TICK_INTERVALS,
  type TickInterval,
} from './fold-bars.ts'

/** How late a tick may come behind the end of its bar, by the newest tick of the series. */
const GRACE_MS = 120_000
/** A quiet symbol's bar is closed by the time of its partition, when a tick on its way has had this long to come. */
const CLOSE_DELAY_MS = 2_000

// A minute is looked at while it grows, a day is not: what a longer bar says more often only costs writing.
const TELL_EVERY_MS: Readonly<Record<TickInterval, number>> = {
  ...{ '1m': 5_000, '5m': 5_000, '15m': 15_000, '30m': 30_000 },
  ...{ '1h': 60_000, '4h': 60_000, '1D': 60_000 },
}

export interface KeptBar extends GrowingBar {
  isClosed: boolean
  /** Ticks when it was last told, and the time of the entry then; 0 before. */
  told: number
  toldAt: number
  /** Told as closed. */
  wasClosed: boolean
}

interface Late {
  ticks: number
  /** ms UTC. */
  from: number
  to: number
}

/** All of it is JSON. */
export interface Series {
  readonly source: string
  readonly ticker: string
  /** The first tick that was heard, ms UTC. */
  readonly begunAt: number
  /** The newest tick, µs UTC, and what was heard under that very time. */
  newest: number
  atNewest: string[]
  /** Oldest first. */
  readonly bars: Record<TickInterval, KeptBar[]>
  late: Late | undefined
}

// Of one microsecond; a feed whose clock stands still must not fill the memory.
const SAME_TIME_MAX = 64

export const newSeries = (source: string, ticker: string, { micros }: MidTick): Series => ({
  ...{ source, ticker, begunAt: Math.floor(micros / 1_000), newest: 0, atNewest: [] },
  bars: { '1m': [], '5m': [], '15m': [], '30m': [], '1h': [], '4h': [], '1D': [] },
  late: undefined,
})

/**
 * True when it was heard before: the tick store calls it a duplicate by the same rule.
 * @param number counts the ticks of one message that have the same time.
 */
export function isRepeated(series: Series, { micros }: MidTick, content: string, number: number): boolean {
  if (micros < series.newest) return false
  if (micros > series.newest) {
    series.newest = micros
    series.atNewest = [content]
    return false
  }
  if (series.atNewest.indexOf(content, number) >= 0) return true
  if (series.atNewest.length < SAME_TIME_MAX) series.atNewest.push(content)
  return false
}

/** Adds a tick to its bar of every interval; true when a bar ended by it. */
export function takeTick(series: Series, tick: MidTick): boolean {
  const time = tick.micros / 1_000
  let hasEnded = false
  let isLate = false
  for (const interval of TICK_INTERVALS) {
    const bars = series.bars[interval]
    const begin = bucketOf(interval, time)
    let at = bars.length - 1
    while (at >= 0 && bars[at]!.time > begin) at--
    if (at >= 0 && bars[at]!.time === begin) {
      growBar(bars[at]!, tick)
    } else if (isOver(series, bucketEnd(interval, time))) {
      isLate = true
    } else {
      const before = bars.at(-1)
      if (before && at === bars.length - 1 && !before.isClosed) {
        before.isClosed = true
        hasEnded = true
      }
      bars.splice(at + 1, 0, keptBar(interval, tick, at < bars.length - 1))
    }
  }
  if (isLate) countLate(series, Math.floor(time))
  return hasEnded
}

const keptBar = (interval: TickInterval, tick: MidTick, isClosed: boolean): KeptBar => ({
  ...newBar(interval, tick),
  ...{ isClosed, told: 0, toldAt: 0, wasClosed: false },
})

/** Bars that ended then take nothing more. */
const isOver = (series: Series, end: number) => end + GRACE_MS <= series.newest / 1_000

function countLate(series: Series, time: number): void {
  const { late } = series
  if (!late) series.late = { ticks: 1, from: time, to: time }
  else {
    late.ticks += 1
    late.from = Math.min(late.from, time)
    late.to = Math.max(late.to, time)
  }
}

/**
 * What is new and due, and forgets the bars that are over.
 * @param now time of the entry that is being applied; what it ends is closed.
 */
export function tellSeries(
  series: Series,
  now: number,
  isLast = false,
): { bars: TickBar[]; late: Late | undefined } {
  const told: TickBar[] = []
  for (const interval of TICK_INTERVALS) {
    const kept: KeptBar[] = []
    for (const bar of series.bars[interval]) {
      const end = bucketEnd(interval, bar.time)
      if (end + CLOSE_DELAY_MS <= now) bar.isClosed = true
      const isGone = isOver(series, end)
      if (isDue(bar, interval, now) || (bar.told !== bar.ticks && (isGone || isLast))) {
        told.push(tellBar(series, bar, interval, now))
      }
      if (!isGone) kept.push(bar)
    }
    series.bars[interval] = kept
  }
  const { late } = series
  series.late = undefined
  return { bars: told, late }
}

function isDue(bar: KeptBar, interval: TickInterval, now: number): boolean {
  if (bar.isClosed) return !bar.wasClosed || bar.told !== bar.ticks
  // The time of the entries may go back, in a recording that is played after a live feed.
  return bar.told !== bar.ticks && Math.abs(now - bar.toldAt) >= TELL_EVERY_MS[interval]
}

function tellBar(series: Series, bar: KeptBar, interval: TickInterval, now: number): TickBar {
  const { time, open, high, low, close, ticks } = bar
  const state = !bar.isClosed ? 'open' : bar.wasClosed ? 'corrected' : 'closed'
  bar.told = ticks
  bar.toldAt = now
  bar.wasClosed = bar.isClosed
  return { interval, time, open, high, low, close, volume: ticks, state, whole: time >= series.begunAt }
}
