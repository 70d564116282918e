// Compares what the executor thinks it holds with what says the same independently: totals with the venues' own
// orders (opening + fills), reserved amounts with the reservations behind them.
import { and, asc, eq, gt, inArray, type Tx } from '../db/index.ts'
import { type Decimal, decimal, decimalText, ZERO } from '../kernel/index.ts'

export interface Difference {
  readonly venue: string
  readonly asset: string
  readonly column: 'total' | 'reserved'
  readonly inventory: string
  readonly expected: string
}

// Bounds the memory of a run over any number of orders.
const PAGE = 2_000

/**
 * Reads one moment; empty when all agrees. Only settled executions count: the orders of a pending one change the
 * inventory when it settles.
 */
export async function reconcile(tx: Tx): Promise<Difference[]> {
  const held = await tx.sql.select().from(tx.t.inventory)
  const totals = new Map(held.map((row) => [keyOf(row), decimal(row.opening)]))
  await addSettledFills(tx, totals)
  const reserved = new Map<string, Decimal>()
  for (const row of await tx.sql.select().from(tx.t.reservations)) add(reserved, row, decimal(row.amount))
  return [...compare('total', held, totals), ...compare('reserved', held, reserved)]
}

/** Ids of executions that ended with fills, in order, beyond `after`: what the ledger is told of. */
export async function settledWithFills({ sql, t }: Tx, after: string, limit: number): Promise<string[]> {
  const { executions } = t
  const hasFills = inArray(executions.outcome, ['filled', 'unwound', 'exposed'])
  const rows = await sql
    .select({ id: executions.opportunityId })
    .from(executions)
    .where(and(hasFills, gt(executions.opportunityId, after)))
    .orderBy(asc(executions.opportunityId))
    .limit(limit)
  return rows.map(({ id }) => id)
}

/** Ids of executions that are decided and not settled. */
export async function pendingExecutions({ sql, t }: Tx, limit: number): Promise<string[]> {
  const { executions } = t
  const rows = await sql
    .select({ id: executions.opportunityId })
    .from(executions)
    .where(eq(executions.status, 'pending'))
    .orderBy(asc(executions.opportunityId))
    .limit(limit)
  return rows.map(({ id }) => id)
}

async function addSettledFills(tx: Tx, totals: Map<string, Decimal>): Promise<void> {
  for (let last = ''; ; ) {
    const page = await settledOrders(tx, last)
    for (const { venue, symbol, side, fills } of page) {
      const [base, quote] = symbol.split('/') as [string, string]
      const sign = side === 'buy' ? 1 : -1
      for (const fill of fills) {
        const quantity = decimal(fill.quantity)
        add(totals, { venue, asset: base }, quantity.times(sign))
        add(totals, { venue, asset: quote }, quantity.times(fill.price).times(-sign))
        add(totals, { venue, asset: fill.feeAsset }, decimal(fill.fee).times(-1))
      }
    }
    if (page.length < PAGE) return
    last = page.at(-1)!.id
  }
}

const settledOrders = ({ sql, t }: Tx, after: string) =>
  sql
    .select({
      id: t.venueOrders.clientOrderId,
      venue: t.venueOrders.venue,
      symbol: t.venueOrders.symbol,
      side: t.venueOrders.side,
      fills: t.venueOrders.fills,
    })
    .from(t.venueOrders)
    .innerJoin(t.intents, eq(t.intents.clientOrderId, t.venueOrders.clientOrderId))
    .innerJoin(t.executions, eq(t.executions.opportunityId, t.intents.opportunityId))
    .where(and(eq(t.executions.status, 'completed'), gt(t.venueOrders.clientOrderId, after)))
    .orderBy(asc(t.venueOrders.clientOrderId))
    .limit(PAGE)

type Place = Pick<Difference, 'venue' | 'asset'>

const keyOf = ({ venue, asset }: Place) => `${venue} ${asset}`

function add(sums: Map<string, Decimal>, place: Place, amount: Decimal): void {
  const key = keyOf(place)
  sums.set(key, (sums.get(key) ?? ZERO).plus(amount))
}

type Held = Place & Readonly<Record<Difference['column'], string>>

function compare(
  column: Difference['column'],
  held: readonly Held[],
  expected: ReadonlyMap<string, Decimal>,
): Difference[] {
  const kept = new Map(held.map((row) => [keyOf(row), decimal(row[column])]))
  return [...new Set([...kept.keys(), ...expected.keys()])].sort().flatMap((key) => {
    const [venue, asset] = key.split(' ') as [string, string]
    const [is, should] = [kept.get(key) ?? ZERO, expected.get(key) ?? ZERO]
    if (is.eq(should)) return []
    return [{ venue, asset, column, inventory: decimalText(is), expected: decimalText(should) }]
  })
}
