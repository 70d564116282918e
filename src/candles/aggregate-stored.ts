// What is stored of a series, to make longer bars of it.
import { and, asc, gte, lt, type Tx } from '../db/index.ts'
import type { Bar, BarKey } from './candle.ts'
import { ofSeries } from './sql-rows.ts'

/** Oldest first. @param from ms UTC, inclusive. @param to exclusive. */
export async function storedBars(tx: Tx, key: BarKey, from: number, to: number): Promise<Bar[]> {
  const { candles } = tx.t
  const { time, open, high, low, close, volume } = candles
  const rows = await tx.sql
    .select({ time, open, high, low, close, volume })
    .from(candles)
    .where(and(ofSeries(candles, key), gte(time, from), lt(time, to)))
    .orderBy(asc(time))
  const { source, ticker, interval } = key
  return rows.map((row) => ({ source, ticker, interval, ...row }))
}
