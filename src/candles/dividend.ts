// A share that pays a dividend or is split gets new prices for its past: what is stored and what comes now are then of
// two different series. One day that differs is enough: the days are written anew and what is made of them follows, and
// every other interval of the ticker has to go, because it has the old prices too.

import { MADE_OF } from './aggregate.ts'
import { bucketOf } from './bucket.ts'
import type { Bar, BarKey, Interval } from './candle.ts'
import { isIndex } from './units.ts'

/** Adjusting lowers past prices; less than this is rounding, or a correction of one day. */
const RATIO_MIN = 1.02

/** The same size however many days are adjusted, and found twice it is the same: an import saves it with its offset. */
export interface Dividend {
  readonly source: string
  readonly ticker: string
  /** First incoming day, ms UTC. */
  readonly first: number
  /** First and last adjusted day, ms UTC. */
  readonly from: number
  readonly to: number
  /** Existing close / incoming close of the first adjusted day. */
  readonly ratio: number
}

/** One for each ticker. */
export function joinDividends(some: readonly Dividend[], others: readonly Dividend[]): Dividend[] {
  const joined = new Map<string, Dividend>()
  for (const one of [...some, ...others]) {
    const name = `${one.source}|${one.ticker}`
    const known = joined.get(name) ?? one
    const { ratio } = one.from < known.from ? one : known
    const [first, from] = [Math.min(one.first, known.first), Math.min(one.from, known.from)]
    joined.set(name, { ...one, first, from, to: Math.max(one.to, known.to), ratio })
  }
  return [...joined.values()]
}

/**
 * The tickers whose incoming daily bars are adjusted against the stored ones. Other intervals and indices are passed
 * over, and so is the newest day on either side: its close may still have moved. (An index is computed and pays
 * nothing: when its past changes, that is a correction.)
 */
export function dividendsIn(
  existing: Iterable<Bar>,
  incoming: Iterable<Bar>,
  isComputed: (ticker: string) => boolean = isIndex,
): Dividend[] {
  const known = byTicker(existing, isComputed)
  const dividends: Dividend[] = []
  for (const [name, { source, ticker, closes, first, newest }] of byTicker(incoming, isComputed)) {
    const stored = known.get(name)
    if (!stored) continue
    const until = Math.min(newest, stored.newest)
    for (const [time, close] of closes) {
      const before = stored.closes.get(time)
      if (before === undefined || time >= until || !(close > 0)) continue
      const ratio = before / close
      if (ratio > RATIO_MIN) dividends.push({ source, ticker, first, from: time, to: time, ratio })
    }
  }
  return joinDividends(dividends, [])
}

export interface PurgePlan {
  readonly source: string
  readonly ticker: string
  /** What is there with the old prices and is not written anew with the days: it has to go, and be imported again. */
  readonly purge: readonly Interval[]
  /** Days in front of the first incoming one are there, with the old prices: the whole history has to be imported. */
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
    purge: there.map(({ interval }) => interval).filter((interval) => !isMadeOfDays(interval)),
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

function byTicker(bars: Iterable<Bar>, isComputed: (ticker: string) => boolean): Map<string, Days> {
  const tickers = new Map<string, Days>()
  for (const { source, ticker, interval, time, close } of bars) {
    if (interval !== '1D' || isComputed(ticker)) continue
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
