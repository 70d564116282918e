// Compares what the executor thinks it holds with what the venues' own orders say: total = opening + fills.
import { eq, type Tx } from '../db/index.ts'
import { type Decimal, decimal, decimalText, ZERO } from '../kernel/index.ts'

export interface Difference {
  readonly venue: string
  readonly asset: string
  readonly inventory: string
  /** Opening plus the fills of every settled order. */
  readonly expected: string
}

/**
 * Reads one moment; empty when all agrees. Only settled executions count: the orders of a pending one change the
 * inventory when it settles.
 */
export async function reconcile(tx: Tx): Promise<Difference[]> {
  const { inventory } = tx.t
  const held = await tx.sql.select().from(inventory)
  const expected = new Map<string, Decimal>()
  const add = (venue: string, asset: string, amount: Decimal) => {
    const key = `${venue} ${asset}`
    expected.set(key, (expected.get(key) ?? ZERO).plus(amount))
  }
  for (const { venue, asset, opening } of held) add(venue, asset, decimal(opening))
  for (const { venue, symbol, side, fills } of await settledOrders(tx)) {
    const [base, quote] = symbol.split('/') as [string, string]
    const sign = side === 'buy' ? 1 : -1
    for (const fill of fills) {
      const quantity = decimal(fill.quantity)
      add(venue, base, quantity.times(sign))
      add(venue, quote, quantity.times(fill.price).times(-sign))
      add(venue, fill.feeAsset, decimal(fill.fee).times(-1))
    }
  }
  const totals = new Map(held.map((row) => [`${row.venue} ${row.asset}`, decimal(row.total)]))
  return [...new Set([...totals.keys(), ...expected.keys()])].sort().flatMap((key) => {
    const [venue, asset] = key.split(' ') as [string, string]
    const [is, should] = [totals.get(key) ?? ZERO, expected.get(key) ?? ZERO]
    return is.eq(should) ? [] : [{ venue, asset, inventory: decimalText(is), expected: decimalText(should) }]
  })
}

const settledOrders = ({ sql, t }: Tx) =>
  sql
    .select({
      venue: t.venueOrders.venue,
      symbol: t.venueOrders.symbol,
      side: t.venueOrders.side,
      fills: t.venueOrders.fills,
    })
    .from(t.venueOrders)
    .innerJoin(t.intents, eq(t.intents.clientOrderId, t.venueOrders.clientOrderId))
    .innerJoin(t.executions, eq(t.executions.opportunityId, t.intents.opportunityId))
    .where(eq(t.executions.status, 'completed'))
