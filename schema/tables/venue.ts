// The paper venue's own records: what a real exchange would keep on its side.
import type { Words } from '../words/postgres.ts'

/** A fill as the paper venue answers it; decimals as canonical texts. */
export interface VenueFillRow {
  price: string
  quantity: string
  fee: string
  feeAsset: string
  time: number
}

/** An order under its client order id: a second `place` finds the row and answers the same. */
export const venueOrders = (w: Words) =>
  w.table(
    'venue_orders',
    {
      clientOrderId: w.text('client_order_id').primaryKey(),
      venue: w.text('venue').notNull(),
      symbol: w.text('symbol').notNull(),
      side: w.oneOf('side', ['buy', 'sell']).notNull(),
      /** Base units. */
      quantity: w.decimal('quantity').notNull(),
      /** Null takes any price. */
      limitPrice: w.decimal('limit_price'),
      status: w.oneOf('status', ['filled', 'partial', 'rejected']).notNull(),
      reason: w.text('reason'),
      fills: w.json<VenueFillRow[]>('fills').notNull(),
      /** When it was decided, in market time. */
      time: w.instant('time').notNull(),
    },
    (t) => [w.index('venue_orders_venue_time').on(t.venue, t.time)],
  )
