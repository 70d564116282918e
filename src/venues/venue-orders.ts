// The paper venue's own record of its orders: what a real exchange keeps on its side. The only writer of
// `venue_orders`. The row under a client order id is the order's one outcome, whoever computed it first.
import type { Tables } from '../../schema/index.ts'
import { and, type Database, eq } from '../db/index.ts'
import { decimal, decimalText, SluiceError } from '../kernel/index.ts'
import type { Order, OrderFill, OrderResult } from './venue.ts'

type Row = Tables['venueOrders']['$inferSelect']

/** Undefined when the venue has no such order. Throws ORDER_INVALID when `order` is another one under this id. */
export async function findOrder(
  database: Database,
  venue: string,
  clientOrderId: string,
  order?: Order,
): Promise<OrderResult | undefined> {
  const [row] = await database.read(async ({ sql, t }) =>
    sql
      .select()
      .from(t.venueOrders)
      .where(and(eq(t.venueOrders.clientOrderId, clientOrderId), eq(t.venueOrders.venue, venue))),
  )
  return row && resultOf(row, venue, order)
}

/** Records the outcome unless the id has one already; answers the one that stands. */
export async function recordOrder(
  database: Database,
  venue: string,
  order: Order,
  result: OrderResult,
): Promise<OrderResult> {
  const row: Row = {
    clientOrderId: order.clientOrderId,
    venue,
    symbol: order.symbol,
    side: order.side,
    quantity: decimalText(order.quantity),
    limitPrice: order.limitPrice === undefined ? null : decimalText(order.limitPrice),
    status: result.status,
    reason: result.reason ?? null,
    fills: result.fills.map(fillTexts),
    time: Math.floor(order.time),
  }
  const stands = await database.write(async ({ sql, t }) => {
    await sql.insert(t.venueOrders).values(row).onConflictDoNothing()
    const id = eq(t.venueOrders.clientOrderId, order.clientOrderId)
    return (await sql.select().from(t.venueOrders).where(id))[0]
  })
  return resultOf(stands ?? row, venue, order)
}

function resultOf(row: Row, venue: string, order: Order | undefined): OrderResult {
  if (order && !isSame(row, venue, order)) {
    const { clientOrderId } = row
    const message = `${clientOrderId} is the id of another order (${row.venue} ${row.side} ${row.quantity} ${row.symbol})`
    throw new SluiceError('ORDER_INVALID', message, { clientOrderId, limit: 'client_order_id' })
  }
  return {
    status: row.status,
    reason: row.reason ?? undefined,
    fills: row.fills.map((fill) => ({
      price: decimal(fill.price),
      quantity: decimal(fill.quantity),
      fee: decimal(fill.fee),
      feeAsset: fill.feeAsset,
      time: fill.time,
    })),
  }
}

function isSame(row: Row, venue: string, order: Order): boolean {
  const limit = order.limitPrice === undefined ? null : decimalText(order.limitPrice)
  return (
    row.venue === venue &&
    row.symbol === order.symbol &&
    row.side === order.side &&
    row.quantity === decimalText(order.quantity) &&
    row.limitPrice === limit
  )
}

const fillTexts = (fill: OrderFill): Row['fills'][number] => ({
  price: decimalText(fill.price),
  quantity: decimalText(fill.quantity),
  fee: decimalText(fill.fee),
  feeAsset: fill.feeAsset,
  time: fill.time,
})
