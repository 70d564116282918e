// The books as the keys of the contest: one model is everything that is traded in one quote asset (`sluice-USDT`),
// because returns compare accounts of one currency; one trader is a paper venue, because orders and balances are kept
// there. Field names are those of the recorded answers; what Sluice does not know is null.
import { type EquityRow, projections } from '../catalog/index.ts'
import { type Decimal, decimal, isoTime, ratio, ZERO } from '../kernel/index.ts'
import { jsonNumber } from './json-number.ts'
import {
  type Account,
  type Balance,
  type FilledTrade,
  type OpenPosition,
  type OrderTableRow,
  quoteOf,
  type TradeTableRow,
} from './read-ledger.ts'
import type { Statistics } from './statistics.ts'
import type { Put } from './writer.ts'

/** Quotients are rounded to so many decimals; sums and products are exact. */
const PLACES = 12

export const modelOf = (asset: string): string => `sluice-${asset}`

type Unversioned = Omit<Put, 'version'>

export function accountKey({ asset, positions }: Account): Unversioned {
  const fields = positions.map(
    (position) => [position.symbol, JSON.stringify(positionJson(position))] as const,
  )
  const { lifetimeMs, key } = projections.positions
  return { key: key({ model: modelOf(asset) }), lifetimeMs, content: { type: 'hash', fields } }
}

function positionJson({ symbol, quantity, cost, lastPrice, closed, updatedAt }: OpenPosition) {
  const worth = quantity.times(lastPrice)
  return {
    ...{ symbol, quantity: jsonNumber(quantity), leverage: 1, margin: jsonNumber(worth.abs()) },
    entry_price: jsonNumber(ratio(cost, quantity, PLACES)),
    current_price: jsonNumber(lastPrice),
    unrealized_pnl: jsonNumber(worth.minus(cost)),
    closed_pnl: jsonNumber(closed),
    ...{ entry_time: updatedAt / 1_000, entry_oid: null, risk_usd: null, confidence: null, exit_plan: {} },
  }
}

export interface Standing {
  readonly account: Account
  readonly statistics: Statistics | undefined
}

/** Best return first. */
export function leaderboardKeys(standings: readonly Standing[]): Unversioned[] {
  const rows = standings.map(leaderboardRow).sort((a, b) => b.score - a.score)
  const { leaderboard, leaderboardCache } = projections
  const members = rows.map(({ score, id }) => [score, id] as const)
  const value = JSON.stringify(rows.map(({ row }) => row))
  return [
    {
      ...{ key: leaderboard.key({}), lifetimeMs: leaderboard.lifetimeMs },
      content: { type: 'sorted set', members },
    },
    {
      ...{ key: leaderboardCache.key({}), lifetimeMs: leaderboardCache.lifetimeMs },
      content: { type: 'string', value },
    },
  ]
}

function leaderboardRow({ account, statistics }: Standing) {
  const { asset, opening, equity } = account
  // Nothing was put in: no return can be computed.
  const percent = opening.eq(ZERO) ? ZERO : ratio(equity.minus(opening).times(100), opening, PLACES)
  const id = modelOf(asset)
  const row = {
    ...{ id, num_trades: statistics?.trades ?? 0, sharpe: statistics?.sharpe ?? null },
    ...{ num_wins: statistics?.wins ?? 0, win_dollars: jsonNumber(statistics?.winSum ?? ZERO) },
    ...{ num_losses: statistics?.losses ?? 0, lose_dollars: jsonNumber(statistics?.lossSum ?? ZERO) },
    ...{ return_pct: jsonNumber(percent), equity: jsonNumber(equity) },
  }
  return { id, score: Number(percent), row }
}

/** @param newest newest first. */
export function recentTradesKey({ asset }: Account, newest: readonly FilledTrade[]): Unversioned {
  const { key, lifetimeMs } = projections.recentTrades
  const items = newest.map((one) => JSON.stringify(tradeJson(one)))
  return { key: key({ model: modelOf(asset) }), lifetimeMs, content: { type: 'list', items } }
}

/**
 * Bought is the entry and sold the exit of what was both bought and sold. net = entry_closed_pnl + exit_closed_pnl and
 * commission = entry + exit hold exactly; gross = (exit − entry) × quantity but for the rounding of the two prices.
 */
export function tradeJson({ trade, fills }: FilledTrade) {
  const { quantity, bought, sold } = closedPart(trade)
  const feesOf = (side: 'buy' | 'sell') =>
    fills.filter((fill) => fill.side === side).reduce((sum, fill) => sum.plus(decimal(fill.fee)), ZERO)
  const orderOf = (side: 'buy' | 'sell') => fills.find((fill) => fill.side === side)?.clientOrderId ?? null
  const price = (notional: Decimal) =>
    quantity.eq(ZERO) ? null : jsonNumber(ratio(notional, quantity, PLACES))
  const [entryFee, exitFee] = [feesOf('buy'), feesOf('sell')]
  const [net, fees] = [decimal(trade.profit), decimal(trade.fees)]
  const [openedAt, completedAt] = [trade.openedAt, trade.completedAt ?? trade.openedAt]
  const model = modelOf(quoteOf(trade.symbol))
  return {
    ...{ id: trade.opportunityId, trade_id: trade.opportunityId, model_id: model, symbol: trade.symbol },
    ...{ side: 'long', trade_type: 'long', leverage: 1, confidence: 0, quantity: jsonNumber(quantity) },
    ...{ entry_price: price(bought), entry_time: openedAt / 1_000, entry_human_time: humanTime(openedAt) },
    ...{ entry_sz: jsonNumber(decimal(trade.boughtQuantity)), entry_tid: null, entry_oid: orderOf('buy') },
    ...{ entry_crossed: true, entry_liquidation: null, entry_commission_dollars: jsonNumber(entryFee) },
    ...{ entry_closed_pnl: jsonNumber(ZERO.minus(entryFee)), exit_price: price(sold) },
    ...{ exit_time: completedAt / 1_000, exit_human_time: humanTime(completedAt), exit_tid: null },
    ...{ exit_sz: jsonNumber(decimal(trade.soldQuantity)), exit_oid: orderOf('sell'), exit_crossed: true },
    ...{ exit_liquidation: null, exit_commission_dollars: jsonNumber(exitFee), exit_plan: {} },
    ...{ exit_closed_pnl: jsonNumber(net.plus(entryFee)), realized_gross_pnl: jsonNumber(net.plus(fees)) },
    ...{ realized_net_pnl: jsonNumber(net), total_commission_dollars: jsonNumber(fees) },
  }
}

/** What was both bought and sold, and for how much; the residual is left out of the side that has it. */
export function closedPart(trade: TradeTableRow) {
  const [residual, left] = [decimal(trade.residualQuantity), decimal(trade.residualNotional)]
  const isLong = residual.gt(ZERO)
  return {
    quantity: decimal(trade.boughtQuantity).minus(isLong ? residual : ZERO),
    bought: decimal(trade.boughtNotional).minus(isLong ? left : ZERO),
    sold: decimal(trade.soldNotional).plus(isLong ? ZERO : left),
  }
}

/** 2025-10-25 19:03:11.842000, as the reference writes it. */
const humanTime = (time: number) => `${isoTime(time).replace('T', ' ').slice(0, -1)}000`

/** The first point is the opening balance, at the time of the first one that is told. */
export function sinceInceptionKey({ asset, opening }: Account, curve: readonly EquityRow[]): Unversioned {
  const { key, lifetimeMs, cap } = projections.sinceInception
  const points = curve.slice(-(cap! - 1)).map(({ time, equity }) => ({ time, equity: decimal(equity) }))
  const first = points[0] && { time: points[0].time, equity: opening }
  const items = (first ? [first, ...points] : []).map(({ time, equity }) =>
    JSON.stringify({ timestamp: time, value: jsonNumber(equity) }),
  )
  return { key: key({ model: modelOf(asset) }), lifetimeMs, content: { type: 'list', items } }
}

export function balanceKeys(balances: readonly Balance[]): Unversioned[] {
  const { key, lifetimeMs } = projections.simBalances
  return [...Map.groupBy(balances, ({ venue }) => venue)].map(([trader, rows]) => {
    const fields = rows.map(({ asset, amount }) => [asset, amount] as const)
    return { key: key({ trader }), lifetimeMs, content: { type: 'hash', fields } }
  })
}

export function ordersKey(trader: string, orders: readonly OrderTableRow[]): Unversioned {
  const { key, lifetimeMs } = projections.simOrders
  const exact = (text: string | null) => (text === null ? null : jsonNumber(decimal(text)))
  const items = orders.map((order) =>
    JSON.stringify({
      ...{ id: order.clientOrderId, symbol: order.symbol, side: order.side, status: order.status },
      ...{ quantity: exact(order.quantity), limit_price: exact(order.limitPrice), reason: order.reason },
      fills: order.fills.map((fill) => ({
        ...{ price: exact(fill.price), quantity: exact(fill.quantity), fee: exact(fill.fee) },
        ...{ fee_asset: fill.feeAsset, time: fill.time },
      })),
      time: order.time,
    }),
  )
  return { key: key({ trader }), lifetimeMs, content: { type: 'list', items } }
}
