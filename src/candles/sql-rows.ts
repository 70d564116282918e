// A candle as a row, and back: what is undefined is null there.
import { and, eq, type Tx } from '../db/index.ts'
import type { Bar, BarKey, Candle } from './candle.ts'

export type CandleTable = Tx['t']['candles']
type CandleRow = Omit<CandleTable['$inferSelect'], keyof BarKey | 'updatedAt' | 'rebuiltAt'>

export const ofSeries = (candles: CandleTable, { source, ticker, interval }: BarKey) =>
  and(eq(candles.source, source), eq(candles.ticker, ticker), eq(candles.interval, interval))

/** The values go to `upsert`, for which undefined is null. */
export const rowOf = (candle: Candle, updatedAt: number) => ({ ...candle, updatedAt })

export const candleFields = (t: CandleTable) => ({
  time: t.time,
  ...{ open: t.open, high: t.high, low: t.low, close: t.close, volume: t.volume },
  ...{ ma10: t.ma10, ma20: t.ma20, ma50: t.ma50, ma100: t.ma100, ma200: t.ma200 },
  ...{ ma10Score: t.ma10Score, ma20Score: t.ma20Score, ma50Score: t.ma50Score },
  ...{ ma100Score: t.ma100Score, ma200Score: t.ma200Score },
  ...{ closeChanged: t.closeChanged, volumeChanged: t.volumeChanged },
  totalMoneyChanged: t.totalMoneyChanged,
})

/** What a write reads of a bar: the columns are made anew, and a mark stays where it is. */
export const barFields = ({ time, open, high, low, close, volume, rebuiltAt }: CandleTable) => ({
  ...{ time, open, high, low, close, volume, rebuiltAt },
})

type BarRow = Omit<Bar, keyof BarKey | 'rebuiltAt'> & { readonly rebuiltAt: number | null }

export const barOf = ({ source, ticker, interval }: BarKey, row: BarRow): Bar => ({
  source,
  ticker,
  interval,
  time: row.time,
  open: row.open,
  high: row.high,
  low: row.low,
  close: row.close,
  volume: row.volume,
  rebuiltAt: row.rebuiltAt ?? undefined,
})

export const candleOf = ({ source, ticker, interval }: BarKey, row: CandleRow): Candle => ({
  source,
  ticker,
  interval,
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
