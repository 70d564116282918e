// Derives cash, positions and trades again from the fills and the opening balances, and names every difference to
// the last decimal. It shares the arithmetic of one fill with the booking, and nothing of what was summed.
import { asc, gt, inArray, type Tx } from '../db/index.ts'
import { type Decimal, decimal, decimalText, ZERO } from '../kernel/index.ts'
import { addSums, bookFill, NO_SUMS, type Sums } from './booking.ts'
import { settle } from './settlement.ts'
import { type FillRow, settlementTexts, sumTexts } from './store.ts'

/** One value that is not what the fills say. */
export interface Difference {
  readonly table: 'cash' | 'positions' | 'trades'
  /** The row's key, as `venue asset`, `venue symbol` or the opportunity's id. */
  readonly row: string
  readonly column: string
  /** Decimal text; undefined for a row that is not there. */
  readonly booked: string | undefined
  readonly derived: string | undefined
}

// Bounds the memory of a run over any number of fills.
const PAGE = 2_000

/** Call it in `db.read`, so that all tables show one moment. Empty when the books are right. */
export async function reconcile(tx: Tx): Promise<Difference[]> {
  const derived = await deriveFromFills(tx)
  return [
    ...(await compareCash(tx, derived.cash)),
    ...(await comparePositions(tx, derived.positions)),
    ...(await compareTrades(tx)),
  ]
}

/** Those of the opportunities that have no trade. At most a few thousand ids a call. */
export async function notBooked({ sql, t }: Tx, opportunityIds: readonly string[]): Promise<string[]> {
  if (opportunityIds.length === 0) return []
  const rows = await sql
    .select({ id: t.trades.opportunityId })
    .from(t.trades)
    .where(inArray(t.trades.opportunityId, [...opportunityIds]))
  const booked = new Set(rows.map(({ id }) => id))
  return opportunityIds.filter((id) => !booked.has(id))
}

async function deriveFromFills({ sql, t }: Tx) {
  const cash = new Map<string, Decimal>()
  const positions = new Map<string, Sums>()
  let last = ''
  for (;;) {
    const page = await sql
      .select()
      .from(t.fills)
      .where(gt(t.fills.id, last))
      .orderBy(asc(t.fills.id))
      .limit(PAGE)
    for (const fill of page) addFill(fill, cash, positions)
    if (page.length < PAGE) return { cash, positions }
    last = page.at(-1)!.id
  }
}

function addFill(fill: FillRow, cash: Map<string, Decimal>, positions: Map<string, Sums>): void {
  const booking = bookFill({ type: 'fill', ...fill })
  for (const { venue, asset, change } of booking.cash) {
    const key = `${venue} ${asset}`
    cash.set(key, (cash.get(key) ?? ZERO).plus(change))
  }
  const key = `${fill.venue} ${fill.symbol}`
  positions.set(key, addSums(positions.get(key) ?? NO_SUMS, booking.sums))
}

async function compareCash({ sql, t }: Tx, changes: ReadonlyMap<string, Decimal>): Promise<Difference[]> {
  const rows = await sql.select().from(t.cash)
  const booked = new Map(rows.map((row) => [`${row.venue} ${row.asset}`, { amount: row.amount }]))
  const derived = new Map(
    rows.map((row) => {
      const key = `${row.venue} ${row.asset}`
      return [key, { amount: decimalText(decimal(row.opening).plus(changes.get(key) ?? ZERO)) }]
    }),
  )
  for (const [key, change] of changes) {
    if (!derived.has(key)) derived.set(key, { amount: decimalText(change) })
  }
  return compare('cash', booked, derived)
}

async function comparePositions({ sql, t }: Tx, sums: ReadonlyMap<string, Sums>): Promise<Difference[]> {
  const rows = await sql.select().from(t.positions)
  const booked = new Map(
    rows.map(({ venue, symbol, lastPrice: _price, updatedAt: _at, ...row }) => [`${venue} ${symbol}`, row]),
  )
  return compare('positions', booked, new Map([...sums].map(([key, value]) => [key, sumTexts(value)])))
}

async function compareTrades({ sql, t }: Tx): Promise<Difference[]> {
  const differences: Difference[] = []
  let last = ''
  for (;;) {
    const { trades, fills } = t
    const page = await sql
      .select()
      .from(trades)
      .where(gt(trades.opportunityId, last))
      .orderBy(asc(trades.opportunityId))
      .limit(PAGE)
    const ids = page.map((trade) => trade.opportunityId)
    const legs = ids.length > 0 ? await sql.select().from(fills).where(inArray(fills.opportunityId, ids)) : []
    const byTrade = Map.groupBy(legs, (fill) => fill.opportunityId)
    const derived = ids.map((id) => [id, settlementTexts(settle(byTrade.get(id) ?? []))] as const)
    const booked = page.map((trade) => [trade.opportunityId, pickSettlement(trade)] as const)
    differences.push(...compare('trades', new Map(booked), new Map(derived)))
    if (page.length < PAGE) return differences
    last = ids.at(-1)!
  }
}

type Texts = Readonly<Record<string, string>>

const pickSettlement = (row: ReturnType<typeof settlementTexts>): Texts => ({
  boughtQuantity: row.boughtQuantity,
  boughtNotional: row.boughtNotional,
  soldQuantity: row.soldQuantity,
  soldNotional: row.soldNotional,
  fees: row.fees,
  profit: row.profit,
  residualQuantity: row.residualQuantity,
  residualNotional: row.residualNotional,
})

function compare(
  table: Difference['table'],
  booked: ReadonlyMap<string, Texts>,
  derived: ReadonlyMap<string, Texts>,
): Difference[] {
  const rows = [...new Set([...booked.keys(), ...derived.keys()])].sort()
  return rows.flatMap((row) => {
    const [is, should] = [booked.get(row), derived.get(row)]
    const columns = Object.keys(should ?? is ?? {})
    return columns
      .filter((column) => is?.[column] !== should?.[column])
      .map((column) => ({ table, row, column, booked: is?.[column], derived: should?.[column] }))
  })
}
