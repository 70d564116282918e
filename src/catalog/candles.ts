// Candles as they cross processes: bars that ticks have made, and that what is stored has changed. (What a stored
// candle is stands in src/candles/candle.ts.)
import { z } from 'zod'
import { defineStream } from '../bus/index.ts'

/** Written with their case: 1m is a minute, 1M a month. */
export const interval = z.enum(['1m', '5m', '15m', '30m', '1h', '4h', '1D', '1W', '2W', '1M'])

// A venue, a simulated venue (candleSource), or a feed of files.
const sourceName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$/)
const tickerName = z.string().min(1).max(64)
const timeMs = z.number().int()
const price = z.number().positive().finite()

const SIMULATED = '~simulated'

/** What a venue's bars stand under; made-up prices never under the name of a market. No venue has a `~` in its name. */
export const candleSource = (venue: string, simulated: boolean): string =>
  simulated ? `${venue}${SIMULATED}` : venue

/** The venue, and whether its prices are made up. */
export const candleVenue = (source: string): { venue: string; simulated: boolean } =>
  source.endsWith(SIMULATED)
    ? { venue: source.slice(0, -SIMULATED.length), simulated: true }
    : { venue: source, simulated: false }

const tickBar = z.object({
  interval,
  /** Beginning, ms UTC. */
  time: timeMs,
  /** Mids of best bid and ask. */
  open: price,
  high: price,
  low: price,
  close: price,
  /** How many ticks made it. A later version of a bar has more, so this is also its version. */
  volume: z.number().int().min(1),
  /** `open` may still change, `closed` is over, `corrected` had been closed and has taken late ticks. */
  state: z.enum(['open', 'closed', 'corrected']),
  /** Its ticks were heard from its beginning on; otherwise they began to be heard in the middle of it. */
  whole: z.boolean(),
})
export type TickBar = z.infer<typeof tickBar>

/** What is new about the bars of one symbol at one venue; applied together. */
export const candleBars = z.object({
  source: sourceName,
  ticker: tickerName,
  bars: z.array(tickBar).max(1_000),
  /** Ticks that came after their bars were given away; only `rebuild` brings them in. */
  late: z
    .object({
      ticks: z.number().int().min(1),
      /** Of the ticks, ms UTC, both inclusive. */ from: z.number(),
      to: z.number(),
    })
    .optional(),
})
export type CandleBars = z.infer<typeof candleBars>

/** Stored bars have changed. It says where and not how: whoever follows reads what is stored now. */
export const candleChange = z.object({
  source: sourceName,
  ticker: tickerName,
  /** Beginnings of the first and of the last changed bar of each interval, ms UTC. */
  ranges: z.array(z.object({ interval, from: timeMs, to: timeMs })).min(1),
  /** `purged`: everything of these intervals was deleted, and what is there now came afterwards. */
  kind: z.enum(['written', 'purged']),
  /** Where the bars came from. Ticks bring every interval up to a day themselves. */
  origin: z.enum(['ticks', 'files', 'bars']),
})
export type CandleChange = z.infer<typeof candleChange>

export const marketCandles = defineStream<CandleBars>({
  name: 'market.candles',
  about: 'Bars that are built from ticks: while they grow, when they close, when late ticks correct them.',
  shape: candleBars,
  key: ({ source, ticker }) => `${source}|${ticker}`,
})

export const candlesChanged = defineStream<CandleChange>({
  name: 'candles.changed',
  about: 'Which stored candles have changed.',
  shape: candleChange,
  key: ({ source, ticker }) => `${source}|${ticker}`,
})
