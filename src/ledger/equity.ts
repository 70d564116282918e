// What the trading of a symbol has added, and the curve of all symbols together. A snapshot looks at one symbol
// only: its events are in order, those of different symbols are not, so a sum over everything would depend on which
// worker was faster. The curve is put together from the snapshots in the order of their times.
import { type Decimal, decimal, ZERO } from '../kernel/index.ts'
import { addSums, NO_SUMS, type Sums } from './booking.ts'

export interface MarkedPosition extends Sums {
  readonly venue: string
  readonly lastPrice: Decimal
  readonly updatedAt: number
}

export interface Worth {
  /** Sold − bought − fees, quote units. */
  readonly cash: Decimal
  /** Open quantity at the last price. */
  readonly holdings: Decimal
  readonly equity: Decimal
}

/**
 * The open quantity is netted over venues before it is valued: an arbitrage holds + at one venue and − at another,
 * and valuing both at their own last price would take the profit away again. The last price is the newest of all
 * venues, of equal times the one of the venue first in the alphabet.
 */
export function worthOf(positions: readonly MarkedPosition[]): Worth {
  const sums = positions.reduce<Sums>(addSums, NO_SUMS)
  const cash = sums.soldNotional.minus(sums.boughtNotional).minus(sums.fees)
  const newest = [...positions].sort((a, b) => b.updatedAt - a.updatedAt || (a.venue < b.venue ? -1 : 1))[0]
  const holdings = sums.boughtQuantity.minus(sums.soldQuantity).times(newest?.lastPrice ?? ZERO)
  return { cash, holdings, equity: cash.plus(holdings) }
}

export interface Snapshot {
  readonly asset: string
  readonly symbol: string
  readonly number: number
  readonly time: number
  readonly cash: string
  readonly holdings: string
  readonly equity: string
  readonly realized: string
  readonly cause: string
}

export interface EquityPoint {
  readonly asset: string
  readonly time: number
  /** Decimals, over all symbols of the asset. */
  readonly cash: Decimal
  readonly holdings: Decimal
  readonly equity: Decimal
  readonly realized: Decimal
  /** The opportunity that changed it, and its symbol. */
  readonly cause: string
  readonly symbol: string
}

/** The order in which a curve is read: by time, then symbol and number, the same on every run. */
export const inTime = (a: Snapshot, b: Snapshot): number =>
  a.time - b.time || (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.number - b.number)

/**
 * The curve at each of `window`, oldest first. `before` holds the last snapshot of each symbol that is older than
 * the window; a symbol without one starts from nothing.
 */
export function curveOf(before: readonly Snapshot[], window: readonly Snapshot[]): EquityPoint[] {
  const latest = new Map(before.map((snapshot) => [snapshot.symbol, snapshot]))
  return [...window].sort(inTime).map((snapshot) => {
    latest.set(snapshot.symbol, snapshot)
    const alike = [...latest.values()].filter((other) => other.asset === snapshot.asset)
    const sum = (field: 'cash' | 'holdings' | 'equity' | 'realized') =>
      alike.reduce((total, other) => total.plus(decimal(other[field])), ZERO)
    const { asset, time, cause, symbol } = snapshot
    return {
      asset,
      time,
      cash: sum('cash'),
      holdings: sum('holdings'),
      equity: sum('equity'),
      realized: sum('realized'),
      cause,
      symbol,
    }
  })
}
