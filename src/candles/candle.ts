// What a candle is, and the port behind which candles are kept. Both stores, SQL and CSV, give the same answers.

/** Written with their case: 1m is a minute, 1M a month. */
export const INTERVALS = ['1m', '5m', '15m', '30m', '1h', '4h', '1D', '1W', '2W', '1M'] as const
export type Interval = (typeof INTERVALS)[number]

export interface BarKey {
  readonly source: string
  readonly ticker: string
  readonly interval: Interval
}

export interface Bar extends BarKey {
  /** Beginning of the bar, ms UTC. */
  readonly time: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  /** What was traded; the number of ticks where the source knows no trades. */
  readonly volume: number
  /** Made then of the stored ticks by a rebuild, ms UTC: bars of the stream do not replace it. Not in answers. */
  readonly rebuiltAt?: number | undefined
}

/** Undefined where there are too few bars, or the bar before had a volume of 0. */
export interface Indicators {
  readonly ma10: number | undefined
  readonly ma20: number | undefined
  readonly ma50: number | undefined
  readonly ma100: number | undefined
  readonly ma200: number | undefined
  /** (close − mean) / mean, %. */
  readonly ma10Score: number | undefined
  readonly ma20Score: number | undefined
  readonly ma50Score: number | undefined
  readonly ma100Score: number | undefined
  readonly ma200Score: number | undefined
  /** Against the bar before, %. */
  readonly closeChanged: number | undefined
  readonly volumeChanged: number | undefined
  /** Change of the close × volume. */
  readonly totalMoneyChanged: number | undefined
}

export interface Candle extends Bar, Indicators {}

export interface CandleQuery extends BarKey {
  /** ms UTC, inclusive. */
  readonly from?: number
  /** ms UTC, exclusive. */
  readonly to?: number
  /** The newest of the range, at most this many; still oldest first. */
  readonly limit?: number
}

export interface CandlesWritten {
  readonly stored: number
  /** Were there with other values and have these now. */
  readonly changed: number
  readonly unchanged: number
}

export interface CandleStore {
  /**
   * Inserts and corrects; of two bars with one key in the list the last counts. Computes again the indicators of
   * all bars that see a changed one (up to 200 behind it), from unrounded closes.
   */
  write(bars: readonly Bar[]): Promise<CandlesWritten>
  /** Oldest first. */
  range(query: CandleQuery): Promise<Candle[]>
  /** What there is, ordered by (source, ticker, interval). */
  keys(
    source?: string,
    ticker?: string,
  ): Promise<readonly (BarKey & { bars: number; first: number; last: number })[]>
  /** Deletes the bars of all given intervals of a ticker. */
  purge(source: string, ticker: string, intervals: readonly Interval[]): Promise<number>
}
