// The port to the outside. A venue is asked by client order id, so that nothing is ever sent twice by accident.
import type { Side } from '../catalog/index.ts'
import type { Decimal } from '../kernel/index.ts'

/** The limits of one symbol at one venue. Amounts are in base units, prices and notionals in quote units. */
export interface Instrument {
  readonly symbol: string
  readonly base: string
  readonly quote: string
  /** Prices are multiples of this. */
  readonly tick: Decimal
  /** Quantities are multiples of this. */
  readonly lot: Decimal
  readonly minQuantity: Decimal
  /** Least price × quantity of an order. */
  readonly minNotional: Decimal
}

export interface VenueSpec {
  readonly name: string
  /** Made up by the simulator, recorded from a real venue, or fed from outside. All are traded on paper. */
  readonly kind: 'simulated' | 'recorded' | 'fed'
  /** Fee of a taker in basis points of the notional, taken in the quote currency. */
  readonly takerFeeBps: number
  /** The symbols that are listed by name; a venue with a default instrument trades others too. */
  readonly symbols: readonly string[]
  /** Throws INSTRUMENT_UNKNOWN. */
  instrument(symbol: string): Instrument
}

/** An immediate-or-cancel order: what does not fill at once is cancelled. */
export interface Order {
  readonly clientOrderId: string
  readonly symbol: string
  readonly side: Side
  readonly quantity: Decimal
  /** Worst price; without one the order takes any (unwinding). */
  readonly limitPrice: Decimal | undefined
  /** When it was decided, ms, in market time. */
  readonly time: number
  /** The stream entry whose book it was decided on. */
  readonly decidedOn: { readonly stream: string; readonly entry: string; readonly partition: number }
}

export interface OrderFill {
  readonly price: Decimal
  readonly quantity: Decimal
  readonly fee: Decimal
  readonly feeAsset: string
  readonly time: number
}

export interface OrderResult {
  readonly status: 'filled' | 'partial' | 'rejected'
  /** Why nothing or not all was filled; a stable word such as no_liquidity, limit, rejected, minimum. */
  readonly reason: string | undefined
  readonly fills: readonly OrderFill[]
}

export interface Venue {
  readonly spec: VenueSpec
  /**
   * Idempotent by client order id: the second call answers what the first one did. Throws ORDER_AMBIGUOUS when no
   * answer came in time: the order may exist, and only `find` can tell. Throws ORDER_INVALID before sending when
   * a limit of the instrument is broken.
   */
  place(order: Order, signal: AbortSignal): Promise<OrderResult>
  /** What became of an order; undefined when the venue never got it. */
  find(clientOrderId: string, signal: AbortSignal): Promise<OrderResult | undefined>
}
