// Bars of a higher interval from those of a lower one. Indicators are the store's business: they are computed on the
// bars that come out, never aggregated.
import { bucketEnd, bucketOf } from './bucket.ts'
import { type Bar, INTERVALS, type Interval } from './candle.ts'

/** What each interval is made of, where it is neither built from ticks nor imported. */
export const MADE_OF = {
  '5m': '1m',
  '15m': '1m',
  '30m': '1m',
  '4h': '1h',
  '1W': '1D',
  '2W': '1D',
  '1M': '1D',
} as const satisfies Partial<Record<Interval, Interval>>

export type MadeInterval = keyof typeof MADE_OF

/** The intervals that are made of this one. */
export const madeOf = (lower: Interval): MadeInterval[] =>
  (Object.keys(MADE_OF) as MadeInterval[]).filter((interval) => MADE_OF[interval] === lower)

/** With what is made of them, which would stay behind with the old prices. */
export const withMade = (intervals: readonly Interval[]): Interval[] =>
  INTERVALS.filter(
    (one) =>
      intervals.includes(one) || intervals.some((lower) => madeOf(lower).includes(one as MadeInterval)),
  )

export interface Aggregated extends Bar {
  /** The lower bars are known to the end of this one. */
  readonly complete: boolean
}

/**
 * First open, highest high, lowest low, last close, sum of the volumes.
 * @param bars of one source and ticker and of one lower interval, oldest first, from the beginning of a higher bar on.
 * @param until ms UTC: before it no lower bar will be added any more.
 */
export function aggregate(bars: readonly Bar[], interval: Interval, until: number): Aggregated[] {
  const made: { -readonly [K in keyof Aggregated]: Aggregated[K] }[] = []
  for (const bar of bars) {
    const time = bucketOf(interval, bar.time)
    const last = made.at(-1)
    if (last?.time === time) {
      last.high = Math.max(last.high, bar.high)
      last.low = Math.min(last.low, bar.low)
      last.close = bar.close
      last.volume += bar.volume
      continue
    }
    const { source, ticker, open, high, low, close, volume } = bar
    const complete = bucketEnd(interval, time) <= until
    made.push({ source, ticker, interval, time, open, high, low, close, volume, complete })
  }
  return made
}
