// From an opportunity, which is a float64 estimate, to two orders in exact decimals. Pure: the same opportunity,
// limits and inventory give the same plan.
import type { Opportunity } from '../catalog/index.ts'
import { ceilTo, type Decimal, decimal, floorTo, maxOf, minOf, ratio } from '../kernel/index.ts'
import type { Instrument } from '../venues/index.ts'
import { commonLot } from './common-lot.ts'
import { type Denial, deny } from './risk.ts'

export interface PlanTerms {
  readonly buy: { readonly instrument: Instrument; readonly takerFeeBps: number }
  readonly sell: { readonly instrument: Instrument; readonly takerFeeBps: number }
  /** Largest value of one leg, quote units. */
  readonly maxNotional: Decimal
  /** What may be spent: quote units at the buy venue, base units at the sell venue. */
  readonly quoteAvailable: Decimal
  readonly baseAvailable: Decimal
}

export interface Plan {
  /** Base units of both legs: a multiple of both venues' lots. */
  readonly quantity: Decimal
  readonly buyLimit: Decimal
  readonly sellLimit: Decimal
  /** What the legs may take at most: quote units with the fee at the buy venue, base units at the sell venue. */
  readonly quoteNeeded: Decimal
  readonly baseNeeded: Decimal
  /** Quote units after both fees when every fill is at its limit; above 0. */
  readonly worstProfit: Decimal
}

export type PlanResult = { readonly plan: Plan } | { readonly denial: Denial }

const ONE_BPS = decimal('0.0001')
const ONE = decimal(1)
// A quotient this fine, floored to a lot, can be one lot too high at most; `payable` takes that lot away.
const PLACES = 20

export function planExecution(opportunity: Opportunity, terms: PlanTerms): PlanResult {
  const { buy, sell } = terms
  // Rounded against us in the venue's grid and never past what the sweep found to pay.
  const buyLimit = floorTo(decimal(opportunity.buyLimit), buy.instrument.tick)
  const sellLimit = ceilTo(decimal(opportunity.sellLimit), sell.instrument.tick)
  const unitCost = buyLimit.times(ONE.plus(decimal(buy.takerFeeBps).times(ONE_BPS)))
  const unitProceeds = sellLimit.times(ONE.minus(decimal(sell.takerFeeBps).times(ONE_BPS)))
  const unitProfit = unitProceeds.minus(unitCost)
  if (unitProfit.lte(0) || buyLimit.lte(0)) {
    return { denial: deny('edge_too_small', { buyLimit, sellLimit, unitProfit }) }
  }

  const lot = commonLot(buy.instrument.lot, sell.instrument.lot)
  const dearest = maxOf(sellLimit, maxOf(buyLimit, decimal(opportunity.sellPrice)))
  const wanted = minOf(decimal(opportunity.quantity), payable(terms.maxNotional, dearest, lot))
  const least = leastQuantity(terms, buyLimit, sellLimit)
  if (floorTo(wanted, lot).lt(least)) return { denial: deny('below_minimum', { wanted, least, lot }) }

  const affordable = payable(terms.quoteAvailable, unitCost, lot)
  const quantity = floorTo(minOf(wanted, minOf(affordable, terms.baseAvailable)), lot)
  if (quantity.lte(0) || quantity.lt(least)) {
    const { quoteAvailable, baseAvailable } = terms
    return { denial: deny('no_inventory', { wanted, least, quoteAvailable, baseAvailable }) }
  }
  return {
    plan: {
      quantity,
      buyLimit,
      sellLimit,
      quoteNeeded: quantity.times(unitCost),
      baseNeeded: quantity,
      worstProfit: quantity.times(unitProfit),
    },
  }
}

/** The largest multiple of `lot` that `budget` pays for at `price`. */
function payable(budget: Decimal, price: Decimal, lot: Decimal): Decimal {
  const quantity = floorTo(ratio(budget, price, PLACES), lot)
  return quantity.times(price).gt(budget) ? quantity.minus(lot) : quantity
}

/** What both venues accept at these limits: their least quantity and their least notional. */
function leastQuantity({ buy, sell }: PlanTerms, buyLimit: Decimal, sellLimit: Decimal): Decimal {
  const quantity = maxOf(buy.instrument.minQuantity, sell.instrument.minQuantity)
  const forBuy = leastFor(buy.instrument.minNotional, buyLimit)
  const forSell = leastFor(sell.instrument.minNotional, sellLimit)
  return maxOf(maxOf(quantity, commonLot(buy.instrument.lot, sell.instrument.lot)), maxOf(forBuy, forSell))
}

/** Least quantity whose notional is not below `notional`, to 20 places upward. */
function leastFor(notional: Decimal, price: Decimal): Decimal {
  const quantity = ratio(notional, price, PLACES)
  return quantity.times(price).lt(notional) ? quantity.plus(FINEST) : quantity
}

const FINEST = decimal(`1e-${PLACES}`)
