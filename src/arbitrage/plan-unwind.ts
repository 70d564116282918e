// One leg filled more than the other: what to trade back, on the venue where too much was bought or sold. Pure.
import type { Side } from '../catalog/index.ts'
import { type Decimal, floorTo, ZERO } from '../kernel/index.ts'
import type { Instrument } from '../venues/index.ts'
import { imbalanceOf, type Leg } from './orders.ts'

export interface UnwindTerms {
  readonly buyVenue: string
  readonly sellVenue: string
  /** Throws INSTRUMENT_UNKNOWN. */
  readonly instrument: (venue: string) => Instrument
}

export type Unwind =
  | { readonly kind: 'even' }
  | { readonly kind: 'trade'; readonly venue: string; readonly side: Side; readonly quantity: Decimal }
  /** It stays: too little for the venue, or nobody took it in `MAX_UNWINDS` orders. */
  | { readonly kind: 'exposed'; readonly venue: string; readonly residual: Decimal; readonly reason: string }

/** Orders that try to trade a difference back. After them a person decides. */
const MAX_UNWINDS = 3

export function planUnwind(legs: readonly Leg[], terms: UnwindTerms): Unwind {
  const residual = imbalanceOf(legs)
  if (residual.eq(0)) return { kind: 'even' }
  const venue = residual.gt(0) ? terms.buyVenue : terms.sellVenue
  const side: Side = residual.gt(0) ? 'sell' : 'buy'
  const unwinds = legs.filter((leg) => leg.intent.leg >= 2)
  if (unwinds.length >= MAX_UNWINDS) {
    return { kind: 'exposed', venue, residual, reason: unwinds.at(-1)?.result.reason ?? 'partial' }
  }
  const { lot, minQuantity, minNotional } = terms.instrument(venue)
  const quantity = floorTo(residual.abs(), lot)
  const notional = quantity.times(lastPriceAt(venue, legs))
  if (quantity.lte(0) || quantity.lt(minQuantity) || notional.lt(minNotional)) {
    return { kind: 'exposed', venue, residual, reason: 'below_minimum' }
  }
  return { kind: 'trade', venue, side, quantity }
}

const lastPriceAt = (venue: string, legs: readonly Leg[]): Decimal =>
  legs
    .filter((leg) => leg.intent.venue === venue)
    .flatMap((leg) => leg.result.fills)
    .at(-1)?.price ?? ZERO
