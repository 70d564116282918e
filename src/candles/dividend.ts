// A share that pays a dividend or is split gets new prices for its past: what is stored and what comes now are then of
// two different series. One that differs is enough: every bar of the ticker is thrown away and written anew, because
// its other intervals have the old prices too.

import { MADE_OF } from './aggregate.ts'
import { bucketOf } from './bucket.ts'
import type { Bar, BarKey, Interval } from './candle.ts'

/** Adjusting lowers past prices; less than this is rounding, or a correction of one day. */
const RATIO_MIN = 1.02
/** An index is computed, not paid out: when its past changes, that is a correction. */
export const INDICES: ReadonlySet<string> = new Set(['VNINDEX', 'VN30'])

export interface Adjusted {
  /** Beginning of the day, ms UTC. */
  readonly time: number
  readonly existing: number
  readonly incoming: number
  /** Existing close / incoming close. */
  readonly ratio: number
}

export interface Dividend {
  readonly source: string
  readonly ticker: string
  /** Oldest first. */
  readonly days: readonly Adjusted[]
  /** First incoming day, ms UTC. */
  readonly first: number
}

/**
 * The tickers whose incoming daily bars are adjusted against the stored ones. Other intervals and indices are passed
 * over, and so is the newest day on either side: its close may still have moved.
 */
export function dividendsIn(
  existing: Iterable<Bar>,
  incoming: Iterable<Bar>,
  indices: ReadonlySet<string> = INDICES,
): Dividend[] {
  const known = byTicker(existing, indices)
  const dividends: Dividend[] = []
  for (const [name, { source, ticker, closes, first, newest }] of byTicker(incoming, indices)) {
    const stored = known.get(name)
    if (!stored) continue
    const until = Math.min(newest, stored.newest)
    const days: Adjusted[] = []
    for (const [time, close] of closes) {
      const before = stored.closes.get(time)
      if (before === undefined || time >= until || !(close > 0)) continue
      const ratio = before / close
      if (ratio > RATIO_MIN) days.push({ time, existing: before, incoming: close, ratio })
    }
    if (days.length === 0) continue
    dividends.push({ source, ticker, first, days: days.toSorted((a, b) => a.time - b.time) })
  }
  return dividends
}

export interface PurgePlan {
  readonly source: string
  readonly ticker: string
  /** What is there of the ticker and goes, with the old prices, before the incoming days are written. */
  readonly purge: readonly Interval[]
  /** What neither the incoming days nor aggregating them brings back: it has to be fetched again. */
  readonly refetch: readonly Interval[]
  /** Days in front of the first incoming one are there and would be lost: fetch the whole history, then purge. */
  readonly isCut: boolean
}

/** @param keys of the store, with the time of the first bar of each. */
export function planPurge(
  { source, ticker, first }: Dividend,
  keys: readonly (BarKey & { readonly first: number })[],
): PurgePlan {
  const there = keys.filter((key) => key.source === source && key.ticker === ticker)
  const isMadeOfDays = (interval: Interval) =>
    interval === '1D' || (MADE_OF as Partial<Record<Interval, Interval>>)[interval] === '1D'
  return {
    ...{ source, ticker },
    purge: there.map(({ interval }) => interval),
    refetch: there.map(({ interval }) => interval).filter((interval) => !isMadeOfDays(interval)),
    isCut: there.some((key) => key.interval === '1D' && bucketOf('1D', key.first) < first),
  }
}

interface Days {
  readonly source: string
  readonly ticker: string
  /** Beginning of the day → close; of two of one day the last counts. */
  readonly closes: Map<number, number>
  first: number
  newest: number
}

function byTicker(bars: Iterable<Bar>, indices: ReadonlySet<string>): Map<string, Days> {
  const tickers = new Map<string, Days>()
  for (const { source, ticker, interval, time, close } of bars) {
    if (interval !== '1D' || indices.has(ticker)) continue
    const name = `${source}|${ticker}`
    const day = bucketOf('1D', time)
    const days = tickers.get(name) ?? { source, ticker, closes: new Map(), first: day, newest: day }
    days.closes.set(day, close)
    days.first = Math.min(days.first, day)
    days.newest = Math.max(days.newest, day)
    tickers.set(name, days)
  }
  return tickers
}
