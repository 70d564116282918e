// Bars of ticks that are all there, in order: what the fold says of them when none is late.

import { SluiceError } from '../kernel/index.ts'
import { bucketOf } from './bucket.ts'
import type { Bar } from './candle.ts'
import { type GrowingBar, growBar, newBar, soundMidOf, type TickInterval } from './fold-bars.ts'

/** What is needed of a tick. */
export interface BuiltTick {
  /** ms UTC, whole. */
  readonly time: number
  /** ns beyond the millisecond. */
  readonly nanos: number
  readonly bid: number
  readonly ask: number
}

/**
 * The bars of one symbol at one source, each as soon as the next of its interval begins.
 * @param ticks in the order of their time; throws USAGE otherwise.
 */
export async function* buildBars(
  ticks: AsyncIterable<BuiltTick>,
  { source, ticker, intervals }: { source: string; ticker: string; intervals: readonly TickInterval[] },
): AsyncGenerator<Bar> {
  const growing = new Map<TickInterval, GrowingBar>()
  const barOf = (
    interval: TickInterval,
    { openAt: _, closeAt: __, ticks: volume, ...bar }: GrowingBar,
  ): Bar => ({
    ...{ source, ticker, interval, volume },
    ...bar,
  })
  let last = Number.NEGATIVE_INFINITY
  for await (const { time, nanos, bid, ask } of ticks) {
    const micros = time * 1_000 + Math.floor(nanos / 1_000)
    if (micros < last)
      throw new SluiceError('USAGE', `A tick of ${ticker} at ${time} ms comes behind a later one.`, { time })
    last = micros
    const mid = soundMidOf(bid, ask)
    if (mid === undefined) continue
    for (const interval of intervals) {
      const bar = growing.get(interval)
      if (bar && bar.time === bucketOf(interval, time)) growBar(bar, { micros, mid })
      else {
        if (bar) yield barOf(interval, bar)
        growing.set(interval, newBar(interval, { micros, mid }))
      }
    }
  }
  for (const [interval, bar] of growing) yield barOf(interval, bar)
}
