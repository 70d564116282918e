// Bars as they grow from ticks: the arithmetic that the fold over the stream and the rebuild from stored ticks share,
// so that both give the same bars.
import { bucketOf } from './bucket.ts'
import type { Interval } from './candle.ts'

/** What ticks are built into; the longer ones are made of days. */
export const TICK_INTERVALS = ['1m', '5m', '15m', '30m', '1h', '4h', '1D'] as const satisfies Interval[]
export type TickInterval = (typeof TICK_INTERVALS)[number]

/** JSON. */
export interface GrowingBar {
  readonly time: number
  open: number
  high: number
  low: number
  close: number
  ticks: number
  /** Times of the ticks that gave open and close, µs UTC. */
  openAt: number
  closeAt: number
}

export interface MidTick {
  /** µs UTC: as exactly as the stream and the tick store both have it. */
  readonly micros: number
  readonly mid: number
}

/** A wider spread is no market: % of the bid, as the gate of the tick store has it. */
const SPREAD_MAX_PCT = 10

/** Undefined for a book that has no middle. */
export function soundMidOf(bid: number | undefined, ask: number | undefined): number | undefined {
  if (bid === undefined || ask === undefined || !(bid > 0) || !(ask >= bid)) return undefined
  if ((ask - bid) * 100 > SPREAD_MAX_PCT * bid) return undefined
  return (bid + ask) / 2
}

export const newBar = (interval: TickInterval, { micros, mid }: MidTick): GrowingBar => ({
  time: bucketOf(interval, micros / 1_000),
  ...{ open: mid, high: mid, low: mid, close: mid, ticks: 1, openAt: micros, closeAt: micros },
})

/** In whatever order ticks come, open and close are those of the first and last by (time, arrival). */
export function growBar(bar: GrowingBar, { micros, mid }: MidTick): void {
  bar.high = Math.max(bar.high, mid)
  bar.low = Math.min(bar.low, mid)
  bar.ticks += 1
  if (micros < bar.openAt) {
    bar.open = mid
    bar.openAt = micros
  }
  if (micros >= bar.closeAt) {
    bar.close = mid
    bar.closeAt = micros
  }
}
