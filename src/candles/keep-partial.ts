// A fold that began to listen in the middle of a day has not heard its morning, but the minutes of the morning are
// stored. Such a bar is made of the stored minutes whenever they have seen more ticks.
import type { TickBar } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { aggregate } from './aggregate.ts'
import { storedBars } from './aggregate-stored.ts'
import { bucketEnd } from './bucket.ts'
import type { Bar } from './candle.ts'

type Place = Pick<Bar, 'source' | 'ticker'>

/** Call it after the minutes of the same event are written. */
export async function mendPartial(tx: Tx, place: Place, bars: readonly TickBar[]): Promise<Bar[]> {
  const mended: Bar[] = []
  for (const bar of bars) {
    const minutes = await storedBars(
      tx,
      { source: place.source, ticker: place.ticker, interval: '1m' },
      bar.time,
      bucketEnd(bar.interval, bar.time),
    )
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
