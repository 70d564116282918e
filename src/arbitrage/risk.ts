// Why an opportunity is not executed. Codes are stable; each denial carries the facts it was decided on. What needs
// the inventory is decided by plan.ts in the transaction that reserves it.
import type { Opportunity } from '../catalog/index.ts'
import { type Decimal, decimalText, isSluiceError } from '../kernel/index.ts'
import type { Instrument, Venue } from '../venues/index.ts'

export const DENIALS = {
  too_old: 'Seen first longer ago than OPPORTUNITY_MAX_AGE_MS (wall time only).',
  from_future:
    'Stamped more than QUOTE_MAX_AHEAD_MS ahead of this clock (wall time only): its age is unknown.',
  venue_unknown: 'A venue of the opportunity is not configured here.',
  instrument_unknown: 'A venue does not trade the symbol.',
  mixed_simulation: 'A simulated venue against a real one: such a price difference is made up.',
  same_venue: 'It buys and sells at one venue.',
  source_missing:
    'It does not name an entry of each venue from which it was computed, or the stream has it no more.',
  not_in_sources: 'Its prices, limits or quantity are not what the entries that it names offer.',
  edge_too_small: 'The edge is below MIN_EDGE_BPS, or nothing is left at the exact limits after both fees.',
  below_minimum: 'What could be traded is less than a venue accepts.',
  no_inventory: 'What the venues hold for us does not pay for the least quantity.',
} as const

export type DenialCode = keyof typeof DENIALS

export interface Denial {
  readonly code: DenialCode
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

export function deny(code: DenialCode, facts: Record<string, Decimal | string | number | boolean>): Denial {
  const texts = Object.entries(facts).map(([k, v]) => [k, typeof v === 'object' ? decimalText(v) : v])
  return { code, facts: Object.fromEntries(texts) }
}

export interface RiskTerms {
  readonly venue: (name: string) => Venue | undefined
  readonly minEdgeBps: number
  /** Undefined in event time, where age is the recording's. */
  readonly age: { readonly nowMs: number; readonly limitMs: number; readonly aheadMs: number } | undefined
}

export interface Checked {
  readonly buy: CheckedLeg
  readonly sell: CheckedLeg
}

export interface CheckedLeg {
  readonly venue: Venue
  readonly instrument: Instrument
}

/** Everything that can be decided before the inventory is looked at. */
export function checkRisk(opportunity: Opportunity, terms: RiskTerms): Checked | Denial {
  const { openedAt, edgeBps, simulated } = opportunity
  if (terms.age) {
    const { nowMs, limitMs, aheadMs } = terms.age
    const ageMs = nowMs - openedAt
    if (ageMs > limitMs) return deny('too_old', { ageMs, limitMs })
    // A publisher whose clock is fast would make everything that waited in the stream look fresh.
    if (-ageMs > aheadMs) return deny('from_future', { ageMs, aheadMs })
  }
  if (opportunity.buyVenue === opportunity.sellVenue)
    return deny('same_venue', { venue: opportunity.buyVenue })
  const buy = checkLeg(opportunity, opportunity.buyVenue, terms)
  if ('code' in buy) return buy
  const sell = checkLeg(opportunity, opportunity.sellVenue, terms)
  if ('code' in sell) return sell
  const kinds = [buy, sell].map((leg) => leg.venue.spec.kind === 'simulated')
  if (kinds[0] !== kinds[1] || kinds[0] !== simulated) {
    const facts = { buySimulated: kinds[0]!, sellSimulated: kinds[1]!, simulated }
    return deny('mixed_simulation', facts)
  }
  if (edgeBps < terms.minEdgeBps) return deny('edge_too_small', { edgeBps, minEdgeBps: terms.minEdgeBps })
  return { buy, sell }
}

function checkLeg(opportunity: Opportunity, name: string, terms: RiskTerms): CheckedLeg | Denial {
  const { symbol } = opportunity
  const venue = terms.venue(name)
  if (!venue) return deny('venue_unknown', { venue: name })
  if (!opportunity.sources.some((source) => source.venue === name)) {
    return deny('source_missing', { venue: name })
  }
  try {
    return { venue, instrument: venue.spec.instrument(symbol) }
  } catch (error) {
    if (isSluiceError(error, 'INSTRUMENT_UNKNOWN')) return deny('instrument_unknown', { venue: name, symbol })
    throw error
  }
}
