// The books. Written by the ledger context alone, and from events alone: no column takes the wall clock, a
// counter or the order of arrival between keys, so that a replay gives the same rows.
import type { Words } from '../words/postgres.ts'

export const fills = (w: Words) =>
  w.table(
    'fills',
    {
      /** Client order id and number of the fill. */
      id: w.text('id').primaryKey(),
      clientOrderId: w.text('client_order_id').notNull(),
      opportunityId: w.text('opportunity_id').notNull(),
      /** 0 buy, 1 sell, 2 and up: unwinding. */
      leg: w.integer('leg').notNull(),
      venue: w.text('venue').notNull(),
      symbol: w.text('symbol').notNull(),
      side: w.oneOf('side', ['buy', 'sell']).notNull(),
      /** Quote units for one base unit. */
      price: w.decimal('price').notNull(),
      /** Base units. */
      quantity: w.decimal('quantity').notNull(),
      fee: w.decimal('fee').notNull(),
      feeAsset: w.text('fee_asset').notNull(),
      time: w.instant('time').notNull(),
      simulated: w.boolean('simulated').notNull(),
    },
    (t) => [w.index('fills_opportunity_id').on(t.opportunityId), w.index('fills_time').on(t.time)],
  )

/** Exact sums of the fills of a symbol at a venue; averages and open quantity are derived from them. */
export const positions = (w: Words) =>
  w.table(
    'positions',
    {
      venue: w.text('venue').notNull(),
      symbol: w.text('symbol').notNull(),
      /** Base units, and their price × quantity in quote units. */
      boughtQuantity: w.decimal('bought_quantity').notNull(),
      boughtNotional: w.decimal('bought_notional').notNull(),
      soldQuantity: w.decimal('sold_quantity').notNull(),
      soldNotional: w.decimal('sold_notional').notNull(),
      /** Quote units. */
      fees: w.decimal('fees').notNull(),
      lastPrice: w.decimal('last_price').notNull(),
      /** Time of the newest fill. */
      updatedAt: w.instant('updated_at').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.venue, t.symbol] })],
  )

/** Balance of an asset at a venue. */
export const cash = (w: Words) =>
  w.table(
    'cash',
    {
      venue: w.text('venue').notNull(),
      asset: w.text('asset').notNull(),
      amount: w.decimal('amount').notNull(),
      /** What it was before the first fill; amount − opening is what the fills say. */
      opening: w.decimal('opening').notNull(),
      /** Time of the newest fill; 0 before the first. */
      updatedAt: w.instant('updated_at').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.venue, t.asset] })],
  )

/** An executed opportunity, summed over its fills; complete once `completedAt` is set. */
export const trades = (w: Words) =>
  w.table(
    'trades',
    {
      opportunityId: w.text('opportunity_id').primaryKey(),
      symbol: w.text('symbol').notNull(),
      buyVenue: w.text('buy_venue').notNull(),
      sellVenue: w.text('sell_venue').notNull(),
      /** Base units and quote units over all legs, unwinding included. */
      boughtQuantity: w.decimal('bought_quantity').notNull(),
      boughtNotional: w.decimal('bought_notional').notNull(),
      soldQuantity: w.decimal('sold_quantity').notNull(),
      soldNotional: w.decimal('sold_notional').notNull(),
      fees: w.decimal('fees').notNull(),
      /** Quote units, after all fees, of what was both bought and sold. */
      profit: w.decimal('profit').notNull(),
      /** What stayed open: base units (+ bought and not sold, − the reverse) and what they cost (+) or brought (−). */
      residualQuantity: w.decimal('residual_quantity').notNull(),
      residualNotional: w.decimal('residual_notional').notNull(),
      /** filled, unwound or exposed; an execution without fills is no trade. */
      outcome: w.text('outcome'),
      /** Time of the first fill. */
      openedAt: w.instant('opened_at').notNull(),
      completedAt: w.instant('completed_at'),
      simulated: w.boolean('simulated').notNull(),
    },
    (t) => [
      w.index('trades_completed_at').on(t.completedAt),
      w.index('trades_symbol_completed_at').on(t.symbol, t.completedAt),
    ],
  )

/**
 * What the trading of one symbol has added in its quote asset, after each of its trades. One symbol's and not
 * everything's, because between symbols there is no order: the whole is put together when it is read.
 */
export const equitySnapshots = (w: Words) =>
  w.table(
    'equity_snapshots',
    {
      /** Derived from the asset and the cause. */
      id: w.text('id').primaryKey(),
      asset: w.text('asset').notNull(),
      symbol: w.text('symbol').notNull(),
      /** Counts the symbol's snapshots from 1. */
      number: w.integer('number').notNull(),
      time: w.instant('time').notNull(),
      /** Sold − bought − fees. */
      cash: w.decimal('cash').notNull(),
      /** Open quantity over all venues at the last price. */
      holdings: w.decimal('holdings').notNull(),
      equity: w.decimal('equity').notNull(),
      /** Profit of the symbol's trades so far. */
      realized: w.decimal('realized').notNull(),
      /** The opportunity that changed it. */
      cause: w.text('cause').notNull(),
    },
    (t) => [
      w.index('equity_snapshots_asset_time').on(t.asset, t.time),
      w.unique('equity_snapshots_symbol_number').on(t.symbol, t.number),
    ],
  )
