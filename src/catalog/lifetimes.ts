// How long what is kept in Redis may be believed without a look at its source. What changes an answer drops or rewrites
// it long before; these only end what nobody keeps any more.
import { LIFETIMES } from '../cache/index.ts'

const HOUR = 3_600_000

/** A class of the cache times a factor, ms. */
export const scaled = (lifetime: keyof typeof LIFETIMES, factor: number): number =>
  LIFETIMES[lifetime] * factor

/** When a market trades; ms UTC. */
export interface MarketHours {
  isOpen(time: number): boolean
  /** The time itself while the market is open, else when it opens next; Infinity where it opens no more. */
  nextOpen(time: number): number
}

/** 24 hours on 7 days. */
export const ALWAYS_OPEN: MarketHours = { isOpen: () => true, nextOpen: (time) => time }

const BY_INTERVAL: Readonly<Record<string, number>> = {
  ...{ '1m': HOUR, '5m': HOUR, '15m': HOUR, '30m': 2 * HOUR, '1h': 6 * HOUR, '4h': 12 * HOUR },
  ...{ '1D': 24 * HOUR, '1W': 24 * HOUR, '2W': 24 * HOUR, '1M': 24 * HOUR },
}

/**
 * How long candles of an interval are believed, ms: an hour for minutes, a day for days. While the market is closed
 * nothing new can come, so the answer of the last trading day is given until it opens again.
 */
export function candleLifetimeMs(interval: string, now: number, hours: MarketHours): number {
  const open = BY_INTERVAL[interval] ?? HOUR
  if (hours.isOpen(now)) return open
  const closed = hours.nextOpen(now) - now
  return Number.isFinite(closed) ? Math.ceil(closed) : open
}

/** Of a score, from its own time on, ms. */
export const SCORE_LIFE_MS = 6 * HOUR

/** Of support and resistance, from their own time on, ms: 1 h of minutes, 2 h of hours, 4 h of days and longer. */
export function levelsLifeMs(timeframe: string): number {
  if (timeframe.endsWith('m')) return HOUR
  return timeframe.endsWith('h') ? 2 * HOUR : 4 * HOUR
}
