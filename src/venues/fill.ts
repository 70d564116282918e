// How a taker's order meets a book, exactly: level by level in decimals, the fee unrounded. Pure.
import type { Quote, Side } from '../catalog/index.ts'
import { type Decimal, decimal, decimalText, floorTo, minOf, SluiceError } from '../kernel/index.ts'
import type { Instrument, Order, OrderFill, OrderResult } from './venue.ts'

export type Taking = Pick<Order, 'side' | 'quantity' | 'limitPrice'>

export interface FillTerms {
  readonly instrument: Instrument
  readonly takerFeeBps: number
  /** Stamp of the fills, ms. */
  readonly time: number
}

const ONE_BPS = decimal('0.0001')

/**
 * Throws ORDER_INVALID with `limit` in its facts: lot, min_quantity, tick or min_notional. An order without a
 * limit price has no notional before it is filled, so only its quantity is checked.
 */
export function checkOrder(order: Taking, instrument: Instrument): void {
  const { quantity, limitPrice: price } = order
  const { lot, minQuantity, tick, minNotional, symbol } = instrument
  const refuse = (limit: string, sentence: string) => {
    throw new SluiceError('ORDER_INVALID', `${symbol}: ${sentence}`, { symbol, limit })
  }
  const q = decimalText(quantity)
  if (!floorTo(quantity, lot).eq(quantity)) refuse('lot', `${q} is not a multiple of ${decimalText(lot)}`)
  if (quantity.lte(0) || quantity.lt(minQuantity)) {
    refuse('min_quantity', `${q} is below the least quantity ${decimalText(minQuantity)}`)
  }
  if (price === undefined) return
  const p = decimalText(price)
  if (price.lte(0) || !floorTo(price, tick).eq(price)) {
    refuse('tick', `price ${p} is not a positive multiple of ${decimalText(tick)}`)
  }
  if (price.times(quantity).lt(minNotional)) {
    refuse('min_notional', `${p} × ${q} is below the least notional ${decimalText(minNotional)}`)
  }
}

/**
 * What an immediate-or-cancel order gets from a book. Each level gives at most its size, floored to the lot; the
 * fee of a fill is price × quantity × bps / 10,000 in the quote currency, exact. Reasons: `no_liquidity` when the
 * book ended first, `limit` when the next level was worse than the limit.
 */
export function fillFromBook(
  order: Taking,
  book: Pick<Quote, 'bids' | 'asks'>,
  terms: FillTerms,
): OrderResult {
  const { instrument, time } = terms
  const rate = decimal(terms.takerFeeBps).times(ONE_BPS)
  const fills: OrderFill[] = []
  let left = order.quantity
  let reason = 'no_liquidity'
  for (const [levelPrice, levelQuantity] of order.side === 'buy' ? book.asks : book.bids) {
    const price = decimal(levelPrice)
    if (isWorse(order.side, price, order.limitPrice)) {
      reason = 'limit'
      break
    }
    const quantity = minOf(left, floorTo(decimal(levelQuantity), instrument.lot))
    if (quantity.lte(0)) continue
    const fee = price.times(quantity).times(rate)
    fills.push({ price, quantity, fee, feeAsset: instrument.quote, time })
    left = left.minus(quantity)
    if (left.lte(0)) return { status: 'filled', reason: undefined, fills }
  }
  return { status: fills.length === 0 ? 'rejected' : 'partial', reason, fills }
}

const isWorse = (side: Side, price: Decimal, limit: Decimal | undefined) =>
  limit !== undefined && (side === 'buy' ? price.gt(limit) : price.lt(limit))
