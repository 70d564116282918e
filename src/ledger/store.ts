// The only writer of the ledger's tables. A value that is read and then changed is read under its row lock, because
// workers of different symbols share the cash row of their quote asset.
import type { ExecutionCompleted, Fill } from '../catalog/index.ts'
import { and, asc, desc, eq, inArray, sql as raw, type Tx } from '../db/index.ts'
import { type Decimal, decimal, decimalText, deriveId, SluiceError } from '../kernel/index.ts'
import { addSums, assetsOf, type CashChange, NO_SUMS, type Sums } from './booking.ts'
import { worthOf } from './equity.ts'
import { type SettledFill, type Settlement, settle } from './settlement.ts'

export type FillRow = Omit<Fill, 'type'>

/** The time of an event as the tables keep it: whole ms. */
export const wholeMs = (time: number): number => Math.floor(time)

/** The fill as it is kept: canonical decimals and whole ms, so that equal fills are equal rows. */
export function fillRow({ type: _, ...fill }: Fill): FillRow {
  const [price, quantity, fee] = [fill.price, fill.quantity, fill.fee].map((n) => decimalText(decimal(n)))
  return { ...fill, price: price!, quantity: quantity!, fee: fee!, time: wholeMs(fill.time) }
}

/** True when it was new. Throws LEDGER_MISMATCH when a fill of that id says something else. */
export async function insertFill({ sql, t }: Tx, row: FillRow): Promise<boolean> {
  const inserted = await sql.insert(t.fills).values(row).onConflictDoNothing().returning({ id: t.fills.id })
  if (inserted.length > 0) return true
  const [known] = await sql.select().from(t.fills).where(eq(t.fills.id, row.id))
  const differing = (Object.keys(row) as (keyof FillRow)[]).filter((field) => known?.[field] !== row[field])
  if (differing.length === 0) return false
  throw new SluiceError(
    'LEDGER_MISMATCH',
    `Fill ${row.id} is booked already and came again with another ${differing.join(', ')}.`,
    { fill: row.id, differing, booked: known, received: row },
  )
}

/** Every change is of one venue and of different assets. Locks in the order of the assets. */
export async function changeCash(tx: Tx, changes: readonly CashChange[], time: number): Promise<void> {
  const { sql, t } = tx
  const { venue } = changes[0]!
  const assets = changes.map(({ asset }) => asset)
  const here = and(eq(t.cash.venue, venue), inArray(t.cash.asset, assets))
  const locked = () => tx.forUpdate(sql.select().from(t.cash).where(here).orderBy(asc(t.cash.asset)))
  let rows = await locked()
  if (rows.length < assets.length) {
    // Two workers may find a row missing at once: whoever inserts it, both then wait for its lock.
    const empty = assets.map((asset) => ({ venue, asset, amount: '0', opening: '0', updatedAt: 0 }))
    await sql.insert(t.cash).values(empty).onConflictDoNothing()
    rows = await locked()
  }
  const changed = rows.map((row) => {
    const { change } = changes.find(({ asset }) => asset === row.asset)!
    const amount = decimalText(decimal(row.amount).plus(change))
    return { ...row, amount, updatedAt: Math.max(row.updatedAt, time) }
  })
  await sql
    .insert(t.cash)
    .values(changed)
    .onConflictDoUpdate({
      target: [t.cash.venue, t.cash.asset],
      set: { amount: excluded('amount'), updatedAt: excluded('updated_at') },
    })
}

const excluded = (column: string) => raw.raw(`excluded.${column}`)

export async function changePosition(tx: Tx, fill: FillRow, change: Sums): Promise<void> {
  const { sql, t } = tx
  const { venue, symbol } = fill
  const here = and(eq(t.positions.venue, venue), eq(t.positions.symbol, symbol))
  const locked = () => tx.forUpdate(sql.select().from(t.positions).where(here))
  let [row] = await locked()
  if (!row) {
    const nothing = { ...sumTexts(NO_SUMS), lastPrice: fill.price, updatedAt: fill.time }
    await sql
      .insert(t.positions)
      .values({ venue, symbol, ...nothing })
      .onConflictDoNothing()
    ;[row] = await locked()
  }
  const newest = fill.time >= row!.updatedAt
  await sql
    .update(t.positions)
    .set({
      ...sumTexts(addSums(sumsOfRow(row!), change)),
      ...(newest && { lastPrice: fill.price, updatedAt: fill.time }),
    })
    .where(here)
}

/** Undefined while the opportunity is not completed. */
export async function findTrade({ sql, t }: Tx, opportunityId: string) {
  const [row] = await sql.select().from(t.trades).where(eq(t.trades.opportunityId, opportunityId))
  return row
}

export async function settleOpportunity({ sql, t }: Tx, opportunityId: string) {
  const fills = await sql.select().from(t.fills).where(eq(t.fills.opportunityId, opportunityId))
  if (fills.length === 0) return undefined
  return { ...settle(fills satisfies SettledFill[]), openedAt: Math.min(...fills.map((fill) => fill.time)) }
}

export async function insertTrade(
  { sql, t }: Tx,
  completed: ExecutionCompleted,
  settlement: Settlement & { openedAt: number },
): Promise<void> {
  const { opportunityId, symbol, buyVenue, sellVenue, outcome, simulated } = completed
  await sql.insert(t.trades).values({
    ...{ opportunityId, symbol, buyVenue, sellVenue, outcome, simulated },
    ...settlementTexts(settlement),
    openedAt: settlement.openedAt,
    completedAt: wholeMs(completed.time),
  })
}

export async function updateTrade(
  { sql, t }: Tx,
  opportunityId: string,
  settlement: Settlement & { openedAt: number },
): Promise<void> {
  await sql
    .update(t.trades)
    .set({ ...settlementTexts(settlement), openedAt: settlement.openedAt })
    .where(eq(t.trades.opportunityId, opportunityId))
}

/** Locks the positions of a symbol, which also puts the snapshots of a symbol one behind the other. */
export async function takeSnapshot(
  tx: Tx,
  of: { symbol: string; cause: string; time: number; profit: Decimal },
): Promise<void> {
  const { sql, t } = tx
  const rows = await tx.forUpdate(
    sql.select().from(t.positions).where(eq(t.positions.symbol, of.symbol)).orderBy(asc(t.positions.venue)),
  )
  const worth = worthOf(rows.map((row) => ({ ...row, ...sumsOfRow(row), lastPrice: decimal(row.lastPrice) })))
  const snapshots = t.equitySnapshots
  const [last] = await sql
    .select()
    .from(snapshots)
    .where(eq(snapshots.symbol, of.symbol))
    .orderBy(desc(snapshots.number))
    .limit(1)
  const asset = assetsOf(of.symbol).quote
  await sql.insert(snapshots).values({
    id: deriveId('equity', asset, of.cause),
    asset,
    symbol: of.symbol,
    number: (last?.number ?? 0) + 1,
    // Never before the one in front of it, so that the curve by time keeps the order of the symbol's trades.
    time: Math.max(wholeMs(of.time), last?.time ?? 0),
    cash: decimalText(worth.cash),
    holdings: decimalText(worth.holdings),
    equity: decimalText(worth.equity),
    realized: decimalText(decimal(last?.realized ?? '0').plus(of.profit)),
    cause: of.cause,
  })
}

/**
 * What each venue begins with. A balance that exists is left as it is, so this may run at every
 * start; it must run before the first fill of a venue.
 */
export async function seedCash(
  { sql, t }: Tx,
  venues: readonly string[],
  balances: readonly { readonly asset: string; readonly amount: Decimal }[],
): Promise<void> {
  const rows = venues.flatMap((venue) =>
    balances.map(({ asset, amount }) => {
      const opening = decimalText(amount)
      return { venue, asset, amount: opening, opening, updatedAt: 0 }
    }),
  )
  if (rows.length > 0) await sql.insert(t.cash).values(rows).onConflictDoNothing()
}

type SumTexts = { readonly [K in keyof Sums]: string }

export const sumsOfRow = (row: SumTexts): Sums => ({
  boughtQuantity: decimal(row.boughtQuantity),
  boughtNotional: decimal(row.boughtNotional),
  soldQuantity: decimal(row.soldQuantity),
  soldNotional: decimal(row.soldNotional),
  fees: decimal(row.fees),
})

export const sumTexts = (sums: Sums): SumTexts => ({
  boughtQuantity: decimalText(sums.boughtQuantity),
  boughtNotional: decimalText(sums.boughtNotional),
  soldQuantity: decimalText(sums.soldQuantity),
  soldNotional: decimalText(sums.soldNotional),
  fees: decimalText(sums.fees),
})

export const settlementTexts = (settlement: Settlement) => ({
  ...sumTexts(settlement),
  profit: decimalText(settlement.profit),
  residualQuantity: decimalText(settlement.residualQuantity),
  residualNotional: decimalText(settlement.residualNotional),
})
