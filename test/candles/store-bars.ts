// Bars of a series and the candles they make, for the tests of the stores.
import type { Bar, BarKey, Candle } from '../../src/candles/candle.ts'
import { indicatorsAt } from '../../src/candles/indicators.ts'

export const MINUTE = 60_000
export const START = Date.UTC(2024, 0, 1)

/** A bar whose numbers are as awkward as those of a feed; `version` makes another of the same time. */
export function aBar(i: number, more: Partial<Bar> = {}, version = 0): Bar {
  const close = 100 + Math.sin(i * 1.7 + version) * 20 + i / 7
  const key: BarKey = { source: 'vn', ticker: 'VIC', interval: '1m' }
  const prices = { open: close - 0.1, high: close + 0.3, low: close / 1.01, close }
  return { ...key, time: START + i * MINUTE, ...prices, volume: (i % 13) * 100 + version, ...more }
}

export const barsFrom = (first: number, count: number, more: Partial<Bar> = {}, version = 0): Bar[] =>
  Array.from({ length: count }, (_, i) => aBar(first + i, more, version))

/** The candles of a series, from all of its bars at once. */
export function candlesOf(bars: readonly Bar[]): Candle[] {
  const sorted = [...new Map(bars.map((bar) => [bar.time, bar])).values()].sort((a, b) => a.time - b.time)
  const columns = { close: sorted.map(({ close }) => close), volume: sorted.map(({ volume }) => volume) }
  return sorted.map((bar, i) => ({ ...bar, ...indicatorsAt(columns, i) }))
}
