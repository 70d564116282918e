// The candles that a request asks for, out of one store. An interval that nobody has stored is made of a lower one.
import { SluiceError } from '../kernel/index.ts'
import { aggregate, MADE_OF, type MadeInterval } from './aggregate.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import type { BarKey, Candle, CandleStore, Interval } from './candle.ts'
import { indicatorsAt, LOOK_BACK } from './indicators.ts'
import type { TickersRequest } from './tickers-query.ts'
import type { Turn } from './tickers-rows.ts'

/** What both stores have beside the port. */
export interface TickerStore {
  /** For the answer to say which one it came from. */
  readonly name: 'sql' | 'csv'
  /** Tickers of a source that have bars of one of the intervals, in the order of their names. */
  tickers(source: string, intervals: readonly Interval[]): Promise<readonly string[]>
  /** Sources that have bars of a ticker in an interval, in the order of their names. */
  sources(ticker: string, interval: Interval): Promise<readonly string[]>
}

/** Without the list, all bars are counted for a request that names no symbol. */
export type Readable = Pick<CandleStore, 'range' | 'keys'> & Partial<TickerStore>

/** By ticker, in the order of the request or of the names. */
export type TickersFound = ReadonlyMap<string, readonly Candle[]>

/** Of all tickers; 100 MB as JSON. More is refused and not built up in memory. */
const ROWS_MAX = 250_000

/** Throws REQUEST_INVALID when the answer would be too large. */
export async function readTickers(
  store: Readable,
  source: string,
  request: TickersRequest,
  turn: Turn,
): Promise<TickersFound> {
  const found = new Map<string, readonly Candle[]>()
  let rows = 0
  const { symbols, interval } = request
  for (const ticker of symbols.length > 0 ? symbols : await tickersOf(store, source, interval)) {
    await turn()
    const candles = await readTicker(store, { source, ticker, interval }, request)
    rows += candles.length
    if (rows > ROWS_MAX) {
      const message = `The answer would have more than ${ROWS_MAX} rows; ask for fewer symbols or with a smaller limit.`
      throw new SluiceError('REQUEST_INVALID', message, { rowsMax: ROWS_MAX })
    }
    found.set(ticker, candles)
  }
  return found
}

async function tickersOf(store: Readable, source: string, interval: Interval): Promise<readonly string[]> {
  const lower = lowerOf(interval)
  const intervals = lower ? [interval, lower] : [interval]
  if (store.tickers) return store.tickers(source, intervals)
  const keys = await store.keys(source)
  return [...new Set(keys.filter((key) => intervals.includes(key.interval)).map(({ ticker }) => ticker))]
}

const lowerOf = (interval: Interval): Interval | undefined =>
  Object.hasOwn(MADE_OF, interval) ? MADE_OF[interval as MadeInterval] : undefined

async function readTicker(store: Readable, key: BarKey, request: TickersRequest): Promise<readonly Candle[]> {
  const { from, to, limit } = request
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
  const candles = await store.range({ ...key, ...range, limit })
  const lower = lowerOf(key.interval)
  if (candles.length > 0 || !lower) return candles
  return made(store, key, lower, request)
}

/** As many lower bars as can be in one higher bar. */
const PARTS: Readonly<Record<MadeInterval, number>> = {
  ...{ '5m': 5, '15m': 15, '30m': 30, '4h': 4, '1W': 7, '2W': 14, '1M': 31 },
}

async function made(
  store: Readable,
  key: BarKey,
  lower: Interval,
  { from, to, limit }: TickersRequest,
): Promise<readonly Candle[]> {
  const wanted = (limit + LOOK_BACK) * PARTS[key.interval as MadeInterval]
  const end = to === undefined ? undefined : bucketEnd(key.interval, to - 1)
  const bars = await store.range({
    ...key,
    interval: lower,
    ...(end !== undefined && { to: end }),
    limit: wanted,
  })
  // What was cut off in front may have cut a bar in two.
  const [first] = bars
  const whole = bars.length < wanted || !first ? bars : behind(bars, bucketEnd(key.interval, first.time))
  const higher = aggregate(whole, key.interval, Number.POSITIVE_INFINITY).map(
    ({ complete: _, ...bar }) => bar,
  )
  const columns = { close: higher.map(({ close }) => close), volume: higher.map(({ volume }) => volume) }
  const begin = from === undefined ? Number.NEGATIVE_INFINITY : bucketOf(key.interval, from)
  return higher
    .map((bar, i) => ({ ...bar, ...indicatorsAt(columns, i) }))
    .filter(({ time }) => time >= begin)
    .slice(-limit)
}

const behind = (bars: readonly Candle[], time: number) => bars.filter((bar) => bar.time >= time)
