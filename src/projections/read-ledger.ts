// What the projections of the ledger are made of, read from its tables: bounded reads, each by an index.

import type { EquityRow } from '../catalog/index.ts'
import { and, desc, eq, inArray, isNotNull, type Tx } from '../db/index.ts'
import { type Decimal, decimal, ZERO } from '../kernel/index.ts'
import { equityOf } from '../ledger/index.ts'

export type TradeTableRow = Tx['t']['trades']['$inferSelect']
export type FillTableRow = Tx['t']['fills']['$inferSelect']
export type OrderTableRow = Tx['t']['venueOrders']['$inferSelect']

/** Everything that is traded in one quote asset: what the reference calls a model's account. */
export interface Account {
  readonly asset: string
  /** What was ever traded in it. */
  readonly symbols: readonly string[]
  /** Of the quote asset at all venues before the first fill. */
  readonly opening: Decimal
  /** opening + what trading has added, open positions at their last price. */
  readonly equity: Decimal
  readonly positions: readonly OpenPosition[]
}

export interface OpenPosition {
  readonly symbol: string
  /** Bought − sold at all venues, base units; not 0. */
  readonly quantity: Decimal
  /** What it cost (+) or brought (−), fees of unfinished trades included. */
  readonly cost: Decimal
  readonly lastPrice: Decimal
  /** Profit of the trades of the symbol so far. */
  readonly closed: Decimal
  readonly updatedAt: number
}

export interface Balance {
  readonly venue: string
  readonly asset: string
  readonly amount: string
}

export const quoteOf = (symbol: string): string => symbol.slice(symbol.indexOf('/') + 1)

export async function readAccounts(tx: Tx): Promise<{ accounts: Account[]; balances: Balance[] }> {
  const { sql, t } = tx
  const cash = await sql.select().from(t.cash).orderBy(t.cash.venue, t.cash.asset)
  const rows = await sql.select().from(t.positions).orderBy(t.positions.symbol, t.positions.venue)
  const bySymbol = Map.groupBy(rows, (row) => row.symbol)
  const books = new Map<string, { added: Decimal; symbols: string[]; positions: OpenPosition[] }>()
  for (const [symbol, parts] of bySymbol) {
    const [last] = await sql
      .select({ realized: t.equitySnapshots.realized })
      .from(t.equitySnapshots)
      .where(eq(t.equitySnapshots.symbol, symbol))
      .orderBy(desc(t.equitySnapshots.number))
      .limit(1)
    const position = positionOf(symbol, parts, decimal(last?.realized ?? '0'))
    const book = books.get(quoteOf(symbol)) ?? { added: ZERO, symbols: [], positions: [] }
    books.set(quoteOf(symbol), book)
    const { quantity, cost, lastPrice, closed } = position
    book.added = book.added.plus(closed).plus(quantity.times(lastPrice)).minus(cost)
    book.symbols.push(symbol)
    if (!quantity.eq(ZERO)) book.positions.push(position)
  }
  const openingOf = (asset: string) =>
    cash.filter((row) => row.asset === asset).reduce((sum, row) => sum.plus(decimal(row.opening)), ZERO)
  const accounts = [...books].sort().map(([asset, { added, symbols, positions }]) => {
    const opening = openingOf(asset)
    return { asset, symbols, opening, equity: opening.plus(added), positions }
  })
  return { accounts, balances: cash }
}

/**
 * An arbitrage holds + at one venue and − at another: the account holds the difference. sold − bought − fees is what
 * the closed part has earned less what the open part has cost, at any moment between two fills.
 */
function positionOf(
  symbol: string,
  parts: readonly Tx['t']['positions']['$inferSelect'][],
  closed: Decimal,
): OpenPosition {
  const sum = (field: 'boughtQuantity' | 'boughtNotional' | 'soldQuantity' | 'soldNotional' | 'fees') =>
    parts.reduce((total, part) => total.plus(decimal(part[field])), ZERO)
  const cash = sum('soldNotional').minus(sum('boughtNotional')).minus(sum('fees'))
  // As the ledger values it: the newest price of all venues, of equal times that of the first in the alphabet.
  const newest = parts.reduce((best, part) => (part.updatedAt > best.updatedAt ? part : best))
  return {
    ...{ symbol, closed, quantity: sum('boughtQuantity').minus(sum('soldQuantity')) },
    ...{ cost: closed.minus(cash), lastPrice: decimal(newest.lastPrice), updatedAt: newest.updatedAt },
  }
}

export interface FilledTrade {
  readonly trade: TradeTableRow
  readonly fills: readonly FillTableRow[]
}

const PAGE = 200

const newestFirst = ({ completedAt, opportunityId }: Tx['t']['trades']) => [
  desc(completedAt),
  desc(opportunityId),
]

/** The newest trades of an account, newest first. */
export async function readRecentTrades(
  tx: Tx,
  symbols: readonly string[],
  count: number,
): Promise<FilledTrade[]> {
  const { trades } = tx.t
  const found: TradeTableRow[] = []
  for (const symbol of symbols) {
    found.push(
      ...(await tx.sql
        .select()
        .from(trades)
        .where(and(eq(trades.symbol, symbol), isNotNull(trades.completedAt)))
        .orderBy(...newestFirst(trades))
        .limit(count)),
    )
  }
  const newest = found.sort(
    (a, b) => b.completedAt! - a.completedAt! || (a.opportunityId < b.opportunityId ? 1 : -1),
  )
  return withFills(tx, newest.slice(0, count))
}

/** Trades of all accounts that are new, newest first: at least those in front of the first that `isKnown`. */
export async function readNewTrades(
  tx: Tx,
  { atMost, isKnown }: { atMost: number; isKnown: (id: string) => boolean },
): Promise<FilledTrade[]> {
  const { trades } = tx.t
  const found: TradeTableRow[] = []
  while (found.length < atMost) {
    const page = await tx.sql
      .select()
      .from(trades)
      .where(isNotNull(trades.completedAt))
      .orderBy(...newestFirst(trades))
      .limit(PAGE)
      .offset(found.length)
    found.push(...page)
    if (page.length < PAGE || page.some(({ opportunityId }) => isKnown(opportunityId))) break
  }
  const fresh = found.filter(({ opportunityId }) => !isKnown(opportunityId))
  return withFills(tx, fresh)
}

async function withFills(tx: Tx, trades: readonly TradeTableRow[]): Promise<FilledTrade[]> {
  const fills: FillTableRow[] = []
  for (let at = 0; at < trades.length; at += PAGE) {
    const ids = trades.slice(at, at + PAGE).map(({ opportunityId }) => opportunityId)
    fills.push(...(await tx.sql.select().from(tx.t.fills).where(inArray(tx.t.fills.opportunityId, ids))))
  }
  const byTrade = Map.groupBy(fills, ({ opportunityId }) => opportunityId)
  return trades.map((trade) => ({ trade, fills: byTrade.get(trade.opportunityId) ?? [] }))
}

/** The newest points of an asset's curve, oldest first: however many trades the others have. */
export const readCurve = async (tx: Tx, asset: string, points: number): Promise<EquityRow[]> =>
  (await equityOf(tx, points, asset)).reverse()

/** The newest orders of each paper venue, newest first. */
export async function readOrders(
  { sql, t }: Tx,
  venues: readonly string[],
  count: number,
): Promise<Map<string, OrderTableRow[]>> {
  const { venueOrders } = t
  const found = new Map<string, OrderTableRow[]>()
  for (const venue of venues) {
    const rows = await sql
      .select()
      .from(venueOrders)
      .where(eq(venueOrders.venue, venue))
      .orderBy(desc(venueOrders.time), desc(venueOrders.clientOrderId))
      .limit(count)
    if (rows.length > 0) found.set(venue, rows)
  }
  return found
}
