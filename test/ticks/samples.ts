// Ticks for tests: one by hand, many by a rule, any by chance.
import fc from 'fast-check'
import type { Tick } from '../../src/ticks/tick.ts'

/** 2026-01-19, a Monday, 12:00 UTC. */
export const NOON = Date.UTC(2026, 0, 19, 12)
export const DAY_MS = 86_400_000

export const tick = (more: Partial<Tick> = {}): Tick => ({
  symbol: 'EURUSD',
  source: 'YOFX',
  time: NOON,
  nanos: 0,
  sequence: 0,
  bid: 1.0848,
  ask: 1.085,
  bidSize: undefined,
  askSize: undefined,
  volume: 0,
  flags: 0,
  broker: '',
  ...more,
})

/** A feed's day in small: prices walk, three ticks in ten share their time with the one before. */
export function feed(count: number, { symbols = 4, from = NOON, stepMs = 50 } = {}): Tick[] {
  const ticks: Tick[] = []
  for (let n = 0; n < count; n++) {
    const last = ticks.at(-1)
    const price = 1 + ((n * 7_919) % 1_000) / 100_000
    const together = last && n % 10 < 3
    ticks.push(
      tick({
        symbol: together ? last.symbol : `SYM${n % symbols}`,
        source: together ? last.source : n % 100 < 60 ? 'alpha' : 'beta',
        time: together ? last.time : from + n * stepMs,
        nanos: together ? last.nanos : (n * 1_237) % 1_000_000,
        bid: price,
        ask: price + 0.00012,
        bidSize: n % 3 === 0 ? n : undefined,
        askSize: n % 5 === 0 ? n / 8 : undefined,
        broker: n % 4 === 0 ? 'main' : '',
      }),
    )
  }
  return withSequences(ticks)
}

/** Numbers the ticks of one symbol, source and time in the order of the list. */
export function withSequences(ticks: readonly Tick[]): Tick[] {
  const next = new Map<string, number>()
  return ticks.map((one) => {
    const key = JSON.stringify([one.symbol, one.source, one.time, one.nanos])
    const sequence = next.get(key) ?? 0
    next.set(key, sequence + 1)
    return { ...one, sequence }
  })
}

const price = fc.double({ noNaN: true, noDefaultInfinity: true })
const size = fc.option(price, { nil: undefined })

/** Few keys and few contents, so that they meet; around a midnight, so that days do. */
export const crowded: fc.Arbitrary<Tick> = fc.record({
  symbol: fc.constantFrom('EURUSD', 'BTC/USDT'),
  source: fc.constantFrom('alpha', 'beta'),
  time: fc.constantFrom(NOON, NOON + 1, NOON + DAY_MS / 2 - 1, NOON + DAY_MS / 2, NOON + DAY_MS),
  nanos: fc.constantFrom(0, 1, 999_999),
  sequence: fc.constantFrom(0, 0, 0, 1, 2, 7),
  bid: fc.constantFrom(1.1, 1.2),
  ask: fc.constant(1.3),
  bidSize: fc.constantFrom(undefined, 0),
  askSize: fc.constant(undefined),
  volume: fc.constantFrom(0, 5),
  flags: fc.constantFrom(0, 1),
  broker: fc.constantFrom('', 'main'),
})

/** Every float64 that is a number, and every name that is allowed. */
export const anyTick: fc.Arbitrary<Tick> = fc.record({
  symbol: fc.constantFrom('EURUSD'),
  source: fc.constantFrom('alpha', 'béta', 'γ😀'),
  time: fc.integer({ min: NOON - 1_000, max: NOON + 1_000 }),
  nanos: fc.nat(999_999),
  sequence: fc.nat(2 ** 32 - 1),
  bid: price,
  ask: price,
  bidSize: size,
  askSize: size,
  volume: price,
  flags: fc.nat(2 ** 32 - 1),
  broker: fc.constantFrom('', 'main', 'a "quoted", {name}\\'),
})
