// Ticks for the tests of queue, spill and writer.
import type { Tick } from '../../src/ticks/tick.ts'

export const DAY_MS = 86_400_000
/** 2026-01-19T00:00:00Z. */
export const MONDAY = Date.UTC(2026, 0, 19)

export const tickOf = (n: number, more: Partial<Tick> = {}): Tick => ({
  symbol: `SYM${n % 5}`,
  source: 'alpha',
  time: MONDAY + n,
  nanos: (n * 100) % 1_000_000,
  sequence: 0,
  bid: 1 + n / 1e5,
  ask: 1.1 + n / 1e5,
  bidSize: n % 3 ? n : undefined,
  askSize: undefined,
  volume: n,
  flags: n % 2,
  broker: '',
  ...more,
})

export const ticksFrom = (from: number, count: number, more: Partial<Tick> = {}): Tick[] =>
  Array.from({ length: count }, (_, n) => tickOf(from + n, more))

/** Ticks that the process of writer-child.ts adds at a time. */
export const LIST = 50
