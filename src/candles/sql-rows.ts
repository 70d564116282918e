// A candle as a row, and back: what is undefined is null there.
import { and, eq, type Tx } from '../db/index.ts'
import type { BarKey, Candle, Interval } from './candle.ts'

export type CandleTable = Tx['t']['candles']
export type CandleRow = CandleTable['$inferSelect']

export const ofSeries = (candles: CandleTable, { source, ticker, interval }: BarKey) =>
  and(eq(candles.source, source), eq(candles.ticker, ticker), eq(candles.interval, interval))

/** The values go to `upsert`, for which undefined is null. */
export const rowOf = (candle: Candle, updatedAt: number) => ({ ...candle, updatedAt })

export const candleOf = (row: CandleRow): Candle => ({
  source: row.source,
  ticker: row.ticker,
  interval: row.interval as Interval,
  time: row.time,
  open: row.open,
  high: row.high,
  low: row.low,
  close: row.close,
  volume: row.volume,
  ma10: row.ma10 ?? undefined,
  ma20: row.ma20 ?? undefined,
  ma50: row.ma50 ?? undefined,
  ma100: row.ma100 ?? undefined,
  ma200: row.ma200 ?? undefined,
  ma10Score: row.ma10Score ?? undefined,
  ma20Score: row.ma20Score ?? undefined,
  ma50Score: row.ma50Score ?? undefined,
  ma100Score: row.ma100Score ?? undefined,
  ma200Score: row.ma200Score ?? undefined,
  closeChanged: row.closeChanged ?? undefined,
  volumeChanged: row.volumeChanged ?? undefined,
  totalMoneyChanged: row.totalMoneyChanged ?? undefined,
})
