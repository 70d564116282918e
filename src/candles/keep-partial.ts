// A fold that began to listen in the middle of a day has not heard its morning, but the minutes of the morning are
// stored. Such a bar is made of the stored minutes whenever they have seen more ticks.
import type { TickBar } from '../catalog/index.ts'
import { and, asc, eq, gt, lt, type Tx } from '../db/index.ts'
import { aggregate } from './aggregate.ts'
import { bucketEnd } from './bucket.ts'
import type { Bar } from './candle.ts'

type Place = Pick<Bar, 'source' | 'ticker'>

/** Call it after the minutes of the same event are written. */
export async function mendPartial(tx: Tx, place: Place, bars: readonly TickBar[]): Promise<Bar[]> {
  const mended: Bar[] = []
  for (const bar of bars) {
    const minutes = await minutesOf(tx, place, bar.time, bucketEnd(bar.interval, bar.time))
    const [made] = aggregate(minutes, bar.interval, 0)
    if (!made || made.volume <= bar.volume) mended.push(plainBar(place, bar))
    else {
      const { complete: _, ...plain } = made
      mended.push(plain)
    }
  }
  return mended
}

export const plainBar = ({ source, ticker }: Place, { state: _, whole: __, ...bar }: TickBar): Bar => ({
  ...{ source, ticker },
  ...bar,
})

async function minutesOf(
  { sql, t }: Tx,
  { source, ticker }: Place,
  from: number,
  to: number,
): Promise<Bar[]> {
  const { candles } = t
  const { time, open, high, low, close, volume } = candles
  const rows = await sql
    .select({ time, open, high, low, close, volume })
    .from(candles)
    .where(
      and(
        ...[eq(candles.source, source), eq(candles.ticker, ticker), eq(candles.interval, '1m')],
        ...[gt(candles.time, from - 1), lt(candles.time, to)],
      ),
    )
    .orderBy(asc(candles.time))
  return rows.map((row) => ({ source, ticker, interval: '1m', ...row }))
}
