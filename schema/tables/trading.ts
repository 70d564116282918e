// What detectors saw and executors decided. Written by the arbitrage context alone.
import type { Words } from '../words/postgres.ts'

/** The stream entry that an opportunity was computed from. */
export interface SourceRow {
  venue: string
  stream: string
  partition: number
  entry: string
  eventId: string
  quoteTime: number
}

/** From first to last sight. Prices and amounts are float64 estimates; what was traded stands in `fills`. */
export const opportunities = (w: Words) =>
  w.table(
    'opportunities',
    {
      id: w.text('id').primaryKey(),
      symbol: w.text('symbol').notNull(),
      buyVenue: w.text('buy_venue').notNull(),
      sellVenue: w.text('sell_venue').notNull(),
      /** First and last sight, in the time of the entries. */
      openedAt: w.instant('opened_at').notNull(),
      lastSeenAt: w.instant('last_seen_at').notNull(),
      /** Null while it lives. */
      closedAt: w.instant('closed_at'),
      /** open; once closed gone, stale or refused. */
      reason: w.text('reason').notNull(),
      buyPrice: w.float('buy_price').notNull(),
      sellPrice: w.float('sell_price').notNull(),
      /** After fees: at first sight, and the best while it lived. */
      edgeBps: w.float('edge_bps').notNull(),
      bestEdgeBps: w.float('best_edge_bps').notNull(),
      /** Swept to where the margin ends, at first sight. */
      quantity: w.float('quantity').notNull(),
      profit: w.float('profit').notNull(),
      /** Worst prices of the sweep. */
      buyLimit: w.float('buy_limit').notNull(),
      sellLimit: w.float('sell_limit').notNull(),
      simulated: w.boolean('simulated').notNull(),
      sources: w.json<SourceRow[]>('sources').notNull(),
    },
    (t) => [
      w.index('opportunities_opened_at').on(t.openedAt),
      w.index('opportunities_symbol_opened_at').on(t.symbol, t.openedAt),
    ],
  )

/** The one decision about an opportunity: the primary key is what keeps it from being executed twice. */
export const executions = (w: Words) =>
  w.table(
    'executions',
    {
      opportunityId: w.text('opportunity_id').primaryKey(),
      symbol: w.text('symbol').notNull(),
      buyVenue: w.text('buy_venue').notNull(),
      sellVenue: w.text('sell_venue').notNull(),
      status: w.oneOf('status', ['pending', 'completed', 'refused']).notNull(),
      /** filled, unwound, exposed or none once completed. */
      outcome: w.text('outcome'),
      /** Why it was refused or ended as it did; a stable word. */
      reason: w.text('reason'),
      /** The figures behind a refusal, as texts. */
      facts: w.json<Record<string, unknown>>('facts'),
      /** Base units of both legs, and their limits; null when refused before they were planned. */
      quantity: w.decimal('quantity'),
      buyLimit: w.decimal('buy_limit'),
      sellLimit: w.decimal('sell_limit'),
      /** The fencing token the decision was written under, and who held it. */
      token: w.integer('token'),
      holder: w.text('holder'),
      decidedAt: w.instant('decided_at').notNull(),
      completedAt: w.instant('completed_at'),
      simulated: w.boolean('simulated').notNull(),
    },
    (t) => [w.index('executions_status').on(t.status)],
  )

/** An order that is decided. It is sent only after its row is committed, under the row's client order id. */
export const intents = (w: Words) =>
  w.table(
    'intents',
    {
      clientOrderId: w.text('client_order_id').primaryKey(),
      opportunityId: w.text('opportunity_id').notNull(),
      /** 0 buy, 1 sell, 2 and up: unwinding. */
      leg: w.integer('leg').notNull(),
      venue: w.text('venue').notNull(),
      symbol: w.text('symbol').notNull(),
      side: w.oneOf('side', ['buy', 'sell']).notNull(),
      /** Base units. */
      quantity: w.decimal('quantity').notNull(),
      /** Null takes any price. */
      limitPrice: w.decimal('limit_price'),
      /** The fencing token it was written under. */
      token: w.integer('token').notNull(),
      /** pending until the venue has answered or was asked again. */
      status: w.oneOf('status', ['pending', 'filled', 'partial', 'rejected']).notNull(),
      reason: w.text('reason'),
      /** Base units filled so far. */
      filled: w.decimal('filled').notNull(),
      decidedAt: w.instant('decided_at').notNull(),
    },
    (t) => [
      w.unique('intents_opportunity_id_leg').on(t.opportunityId, t.leg),
      w.index('intents_status').on(t.status),
    ],
  )

/** What an executor may still spend. `reserved` is the part of `total` that `reservations` holds. */
export const inventory = (w: Words) =>
  w.table(
    'inventory',
    {
      venue: w.text('venue').notNull(),
      asset: w.text('asset').notNull(),
      /** What it was given at first; total − opening is what trading changed. */
      opening: w.decimal('opening').notNull(),
      total: w.decimal('total').notNull(),
      reserved: w.decimal('reserved').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.venue, t.asset] })],
  )

/** Set aside for an execution until its legs are settled. */
export const reservations = (w: Words) =>
  w.table(
    'reservations',
    {
      opportunityId: w.text('opportunity_id').notNull(),
      venue: w.text('venue').notNull(),
      asset: w.text('asset').notNull(),
      amount: w.decimal('amount').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.opportunityId, t.venue, t.asset] })],
  )
