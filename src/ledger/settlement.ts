// What an opportunity earned, from its fills alone. Bought and sold quantity are matched first in, first out and
// split exactly where a fill is cut in two; an average price would need a division, and a division rounds money.
import { type Decimal, decimal, minOf, ZERO } from '../kernel/index.ts'
import { addSums, NO_SUMS, type Sums, sumsOf } from './booking.ts'

export interface SettledFill {
  readonly id: string
  readonly leg: number
  readonly side: 'buy' | 'sell'
  readonly price: string
  readonly quantity: string
  readonly fee: string
  readonly time: number
}

export interface Settlement extends Sums {
  /** Sold − bought of what was both bought and sold, less every fee of the opportunity, in quote units. */
  readonly profit: Decimal
  /** Bought − sold quantity, base units: 0 when both legs are alike. */
  readonly residualQuantity: Decimal
  /** What the residual cost (+, bought and not sold) or brought (−), quote units. Not part of the profit. */
  readonly residualNotional: Decimal
}

/**
 * profit = sold notional − bought notional − fees + residual notional, whatever the order of the fills; the order
 * (time, leg, id) decides only which fills the residual is made of: the newest.
 */
export function settle(fills: readonly SettledFill[]): Settlement {
  const sums = fills.map(sumsOf).reduce(addSums, NO_SUMS)
  const open = sums.boughtQuantity.minus(sums.soldQuantity)
  const side = open.gte(ZERO) ? 'buy' : 'sell'
  const cost = newestNotional(
    fills.filter((fill) => fill.side === side),
    open.abs(),
  )
  const residualNotional = side === 'buy' ? cost : ZERO.minus(cost)
  const profit = sums.soldNotional.minus(sums.boughtNotional).minus(sums.fees).plus(residualNotional)
  return { ...sums, profit, residualQuantity: open, residualNotional }
}

/** Notional of the last `quantity` of these fills: what first-in-first-out matching leaves over. */
function newestNotional(fills: readonly SettledFill[], quantity: Decimal): Decimal {
  let left = quantity
  let notional = ZERO
  for (const fill of [...fills].sort(oldestFirst).reverse()) {
    if (left.eq(ZERO)) break
    const taken = minOf(left, decimal(fill.quantity))
    notional = notional.plus(taken.times(decimal(fill.price)))
    left = left.minus(taken)
  }
  return notional
}

const oldestFirst = (a: SettledFill, b: SettledFill): number =>
  a.time - b.time || a.leg - b.leg || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
