// What one fill changes in the books: two balances and one position. Pure, and only sums and products, so nothing
// is ever rounded.
import type { Fill } from '../catalog/index.ts'
import { type Decimal, decimal, SluiceError, ZERO } from '../kernel/index.ts'

export interface CashChange {
  readonly venue: string
  readonly asset: string
  readonly change: Decimal
}

export interface Sums {
  readonly boughtQuantity: Decimal
  readonly boughtNotional: Decimal
  readonly soldQuantity: Decimal
  readonly soldNotional: Decimal
  readonly fees: Decimal
}

export interface Booking {
  /** One change an asset, ordered by asset: every writer takes the row locks in the same order. */
  readonly cash: readonly CashChange[]
  readonly sums: Sums
}

export const NO_SUMS: Sums = {
  boughtQuantity: ZERO,
  boughtNotional: ZERO,
  soldQuantity: ZERO,
  soldNotional: ZERO,
  fees: ZERO,
}

export function assetsOf(symbol: string): { base: string; quote: string } {
  const [base = '', quote = ''] = symbol.split('/')
  return { base, quote }
}

/**
 * Buying pays notional and fee in the quote asset for the base asset; selling receives notional less fee. Throws
 * LEDGER_MISMATCH for a fee in another asset: the sums of a position are in its quote asset, and a fee of another
 * would make them wrong without a word.
 */
export function bookFill(fill: Fill): Booking {
  const { base, quote } = assetsOf(fill.symbol)
  if (base === quote) {
    throw new SluiceError('LEDGER_MISMATCH', `Fill ${fill.id} trades ${base} against itself.`, {
      fill: fill.id,
    })
  }
  if (fill.feeAsset !== quote) {
    throw new SluiceError(
      'LEDGER_MISMATCH',
      `Fill ${fill.id} took its fee in ${fill.feeAsset}; allowed: ${quote}, the quote asset of ${fill.symbol}.`,
      { fill: fill.id, feeAsset: fill.feeAsset, allowed: quote },
    )
  }
  const sums = sumsOf(fill)
  const { boughtQuantity, boughtNotional, soldQuantity, soldNotional, fees } = sums
  const cash = [
    { venue: fill.venue, asset: base, change: boughtQuantity.minus(soldQuantity) },
    { venue: fill.venue, asset: quote, change: soldNotional.minus(boughtNotional).minus(fees) },
  ]
  return { cash: cash.sort((a, b) => (a.asset < b.asset ? -1 : 1)), sums }
}

type Traded = Pick<Fill, 'side' | 'price' | 'quantity' | 'fee'>

/** The sums of a single fill. */
export function sumsOf(fill: Traded): Sums {
  const quantity = decimal(fill.quantity)
  const notional = decimal(fill.price).times(quantity)
  const fees = decimal(fill.fee)
  return fill.side === 'buy'
    ? { ...NO_SUMS, boughtQuantity: quantity, boughtNotional: notional, fees }
    : { ...NO_SUMS, soldQuantity: quantity, soldNotional: notional, fees }
}

export const addSums = (a: Sums, b: Sums): Sums => ({
  boughtQuantity: a.boughtQuantity.plus(b.boughtQuantity),
  boughtNotional: a.boughtNotional.plus(b.boughtNotional),
  soldQuantity: a.soldQuantity.plus(b.soldQuantity),
  soldNotional: a.soldNotional.plus(b.soldNotional),
  fees: a.fees.plus(b.fees),
})
