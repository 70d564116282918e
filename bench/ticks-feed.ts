// A feed as a forex broker sends it: prices of five decimals that walk in points, a spread of a few points, whole
// milliseconds, no sizes. Seeded, so that every contestant gets the same.
import type { Tick } from '../src/ticks/tick.ts'

export const DAY_MS = 86_400_000
/** 2026-01-19, a Monday. */
export const DAY = Date.UTC(2026, 0, 19)

export interface FeedOptions {
  readonly symbols: number
  /** Ticks of each symbol. */
  readonly ticks: number
  /** Mean time between two ticks of a symbol, ms; at least 1. */
  readonly everyMs: number
  readonly seed?: number
}

/** All symbols in the order of time, in lists of about `size`. */
export function feedOf({ symbols, ticks, everyMs, seed = 1 }: FeedOptions, size: number): Tick[][] {
  const random = randomOf(seed)
  const walks = Array.from({ length: symbols }, (_, n) => ({
    symbol: `FX${String(n).padStart(4, '0')}`,
    points: 60_000 + Math.floor(random() * 100_000),
    spread: 1 + (n % 12),
  }))
  const all: Tick[] = []
  for (let n = 0; n < ticks; n++) {
    for (const walk of walks) {
      walk.points += Math.round((random() + random() + random() - 1.5) * 4)
      const spread = walk.spread + (random() < 0.2 ? 1 : 0)
      // Never two of a symbol in one ms: the reference would throw the second away.
      const time = DAY + n * everyMs + Math.floor(random() * everyMs)
      all.push(tickAt(walk.symbol, time, walk.points, spread))
    }
  }
  all.sort((a, b) => a.time - b.time)
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size))
}

const tickAt = (symbol: string, time: number, points: number, spread: number): Tick => ({
  symbol,
  source: 'broker',
  time,
  nanos: 0,
  sequence: 0,
  bid: points / 1e5,
  ask: (points + spread) / 1e5,
  bidSize: undefined,
  askSize: undefined,
  volume: 0,
  flags: 0,
  broker: '',
})

/** Mulberry32: from 0 to below 1. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
