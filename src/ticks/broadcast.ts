// Which ticks are told to whoever watches. Only what is told is throttled, never what is kept: the rule of the system
// that this one replaces (0.001 % of the bid) threw ticks away, looked at the bid alone, and divided by a bid of 0.
import type { Tick } from './tick.ts'

/** What was told last of a series; JSON. */
export interface Told {
  readonly bid: number
  readonly ask: number
}

/**
 * True when bid, ask or spread has moved by at least `minMovePct` of the bid that was told last, and for the first
 * tick of a series. With 0 every tick is told.
 */
export function isWorthTelling(told: Told | undefined, { bid, ask }: Tick, minMovePct: number): boolean {
  if (told === undefined || minMovePct === 0) return true
  const least = (Math.abs(told.bid) * minMovePct) / 100
  const spread = Math.abs(ask - bid - (told.ask - told.bid))
  return Math.max(Math.abs(bid - told.bid), Math.abs(ask - told.ask), spread) >= least
}
