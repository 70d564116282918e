// What others may ask of the books, in the shapes of the catalog's views. Decimals are summed here and never in
// SQL: SQLite keeps them as text.
import type { EquityRow, LedgerTotals, PositionRow, TradeRow } from '../catalog/index.ts'
import { and, desc, eq, isNotNull, lt, type Tx } from '../db/index.ts'
import { type Decimal, decimal, decimalText, ratio, ZERO } from '../kernel/index.ts'
import { assetsOf } from './booking.ts'
import { curveOf } from './equity.ts'

/** Completed trades, newest first. */
export async function latestTradesOf({ sql, t }: Tx, limit: number): Promise<TradeRow[]> {
  const rows = await sql
    .select()
    .from(t.trades)
    .where(isNotNull(t.trades.completedAt))
    .orderBy(desc(t.trades.completedAt), desc(t.trades.opportunityId))
    .limit(limit)
  return rows.map((row) => ({
    ...row,
    outcome: row.outcome ?? '',
    completedAt: row.completedAt ?? row.openedAt,
    profitAsset: assetsOf(row.symbol).quote,
  }))
}

export async function positionsOf({ sql, t }: Tx): Promise<PositionRow[]> {
  const rows = await sql.select().from(t.positions).orderBy(t.positions.symbol, t.positions.venue)
  return rows.map((row) => ({
    ...row,
    quantity: decimalText(decimal(row.boughtQuantity).minus(decimal(row.soldQuantity))),
    averageBought: average(row.boughtNotional, row.boughtQuantity),
    averageSold: average(row.soldNotional, row.soldQuantity),
  }))
}

/** The equity curve, newest first: `limit` points over all quote assets, or of one. */
export async function equityOf(tx: Tx, limit: number, asset?: string): Promise<EquityRow[]> {
  const { sql, t } = tx
  const { equitySnapshots: snapshots } = t
  const window = await sql
    .select()
    .from(snapshots)
    .where(asset === undefined ? undefined : eq(snapshots.asset, asset))
    .orderBy(desc(snapshots.time), desc(snapshots.symbol), desc(snapshots.number))
    .limit(limit)
  const before = []
  for (const symbol of await symbolsOf(tx)) {
    if (asset !== undefined && assetsOf(symbol).quote !== asset) continue
    const numbers = window.filter((row) => row.symbol === symbol).map((row) => row.number)
    const first = numbers.length > 0 ? Math.min(...numbers) : Number.MAX_SAFE_INTEGER
    before.push(...(await newestSnapshot(tx, symbol, first)))
  }
  const opening = await openingCash(tx)
  return curveOf(before, window)
    .reverse()
    .map((point) => ({
      ...point,
      cash: decimalText(point.cash.plus(opening.get(point.asset) ?? ZERO)),
      holdings: decimalText(point.holdings),
      equity: decimalText(point.equity.plus(opening.get(point.asset) ?? ZERO)),
      realized: decimalText(point.realized),
    }))
}

/** Every trade and fill ever booked, and the profit after fees of each quote asset. */
export async function totalsOf(tx: Tx): Promise<LedgerTotals> {
  const { sql, t } = tx
  const profit: Record<string, string> = {}
  for (const symbol of await symbolsOf(tx)) {
    const [last] = await newestSnapshot(tx, symbol, Number.MAX_SAFE_INTEGER)
    if (!last) continue
    profit[last.asset] = decimalText(decimal(profit[last.asset] ?? '0').plus(decimal(last.realized)))
  }
  return { trades: await sql.$count(t.trades), fills: await sql.$count(t.fills), profit }
}

/** A symbol has a position from its first fill on. */
async function symbolsOf({ sql, t }: Tx): Promise<string[]> {
  const rows = await sql.selectDistinct({ symbol: t.positions.symbol }).from(t.positions)
  return rows.map((row) => row.symbol).sort()
}

function newestSnapshot({ sql, t }: Tx, symbol: string, below: number) {
  const { equitySnapshots: snapshots } = t
  return sql
    .select()
    .from(snapshots)
    .where(and(eq(snapshots.symbol, symbol), lt(snapshots.number, below)))
    .orderBy(desc(snapshots.number))
    .limit(1)
}

async function openingCash({ sql, t }: Tx): Promise<Map<string, Decimal>> {
  const sums = new Map<string, Decimal>()
  for (const { asset, opening } of await sql.select().from(t.cash)) {
    sums.set(asset, (sums.get(asset) ?? ZERO).plus(decimal(opening)))
  }
  return sums
}

function average(notional: string, quantity: string): string | null {
  const by = decimal(quantity)
  return by.eq(ZERO) ? null : decimalText(ratio(decimal(notional), by, 8))
}
