// Which quotes may be believed. A feed that is wrong (a stuck gateway, a test feed, another instrument under the
// same name) looks like the best arbitrage of the day, so disagreement beyond any real market is no opportunity.
// Two venues that disagree do not tell which of them is wrong: the pair is suspended, not a venue, and it is
// trusted again only after it has agreed without a break for a while.

export interface PlausibilityRules {
  /** Mids of two venues further apart than this fraction of the lower one are not one market. */
  readonly maxDeviation: number
  /** A mid that moves by more than this fraction within `jumpWindowMs` is a fault or a halt. */
  readonly maxJump: number
  readonly jumpWindowMs: number
  /** How long agreement must last before what was suspended is trusted again. */
  readonly quarantineMs: number
}

/** Never suspends anything: for figures that are defined without a gate. */
export const NO_PLAUSIBILITY: PlausibilityRules = {
  maxDeviation: Number.POSITIVE_INFINITY,
  maxJump: Number.POSITIVE_INFINITY,
  jumpWindowMs: 60_000,
  quarantineMs: 0,
}

/** Distance of two prices as a fraction of the lower. */
export const deviation = (a: number, b: number): number => Math.abs(a - b) / Math.min(a, b)

/** The price that a venue's moves are measured from; taken anew when it is older than the window. */
export interface Anchor {
  mid: number
  at: number
  /** The venue is not traded before this time, ms. */
  haltedUntil: number
}

export const newAnchor = (): Anchor => ({ mid: 0, at: Number.NEGATIVE_INFINITY, haltedUntil: 0 })

/**
 * Follows one venue's mid; true when it jumped. The first quote after a gap starts a new window: it is news, not a
 * jump, because nothing recent is known to compare it with.
 */
export function jumps(anchor: Anchor, mid: number, time: number, rules: PlausibilityRules): boolean {
  const age = time - anchor.at
  const jumped = age <= rules.jumpWindowMs && deviation(mid, anchor.mid) > rules.maxJump
  if (jumped) anchor.haltedUntil = time + rules.quarantineMs
  if (jumped || age > rules.jumpWindowMs || age < 0) {
    anchor.mid = mid
    anchor.at = time
  }
  return jumped
}
