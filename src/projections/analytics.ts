// Figures about closed trades, by the formulas that give the recorded answers of the contest: means, medians and sample
// deviations. Sums of money are exact; the others are statistics in float64. Of a group without trades everything is 0.
import { type Decimal, ratio, ZERO } from '../kernel/index.ts'
import { type JsonNumber, jsonNumber } from './json-number.ts'

export interface ClosedTrade {
  readonly id: string
  readonly isLong: boolean
  /** Quote units; net and gross are told apart by more than fees in the recordings. */
  readonly net: Decimal
  readonly gross: Decimal
  readonly fees: Decimal
  /** |entry price × quantity|. */
  readonly notional: number
  /** From entry to exit, minutes. */
  readonly minutes: number
  /** ms UTC. */
  readonly exitTime: number
}

type Table = Readonly<Record<string, number | JsonNumber | null>>

const PLACES = 12

/** What needs decisions and invocations, or the fee of each fill, is null: Sluice does not know it. */
export function analyticsJson(model: string, trades: readonly ClosedTrade[]) {
  const last = trades.reduce<ClosedTrade | undefined>(
    (newest, one) => (newest && newest.exitTime >= one.exitTime ? newest : one),
    undefined,
  )
  const endedAt = last ? last.exitTime / 1_000 : null
  return {
    ...{ id: model, model_id: model, updated_at: endedAt },
    fee_pnl_moves_breakdown_table: feeTable(trades),
    winners_losers_breakdown_table: {
      ...groupTable('winners', trades.filter(isWon)),
      ...groupTable(
        'losers',
        trades.filter((one) => !isWon(one)),
      ),
      win_rate: trades.length === 0 ? 0 : (100 * trades.filter(isWon).length) / trades.length,
    },
    longs_shorts_breakdown_table: longsAndShorts(trades),
    overall_trades_overview_table: overview(trades),
    ...{ signals_breakdown_table: null, invocation_breakdown_table: null },
    ...{ last_trade_exit_time: endedAt, last_trade_doc_id: last?.id ?? null },
    ...{ last_convo_doc_id: null, last_convo_timestamp: null },
  }
}

const isWon = ({ net }: ClosedTrade) => net.gt(ZERO)
const sum = (values: readonly Decimal[]) => values.reduce((total, one) => total.plus(one), ZERO)

function feeTable(trades: readonly ClosedTrade[]): Table {
  const [net, gross, fees] = [trades.map((t) => t.net), trades.map((t) => t.gross), trades.map((t) => t.fees)]
  const [earned, paid] = [sum(net), sum(fees)]
  const nets = net.map(Number)
  return {
    ...{ std_net_pnl: deviation(nets), avg_net_pnl: mean(nets) },
    ...{ std_gross_pnl: deviation(gross.map(Number)), avg_gross_pnl: mean(gross.map(Number)) },
    ...{ biggest_net_gain: nets.length === 0 ? 0 : nets.reduce((a, b) => Math.max(a, b)) },
    ...{ biggest_net_loss: nets.length === 0 ? 0 : nets.reduce((a, b) => Math.min(a, b)) },
    ...{ total_fees_paid: jsonNumber(paid), avg_taker_fee: mean(fees.map(Number)), std_taker_fee: null },
    ...{ overall_pnl_without_fees: jsonNumber(sum(gross)), overall_pnl_with_fees: jsonNumber(earned) },
    total_fees_as_pct_of_pnl: earned.gt(ZERO) ? jsonNumber(ratio(paid.times(100), earned, PLACES)) : 0,
  }
}

/** @param name of the group, as its fields say it. */
function groupTable(name: string, trades: readonly ClosedTrade[]): Table {
  const columns = {
    net_pnl: trades.map(({ net }) => Number(net)),
    notional: trades.map(({ notional }) => notional),
    holding_period: trades.map(({ minutes }) => minutes),
  }
  return Object.fromEntries(
    Object.entries(columns).flatMap(([column, values]) => [
      [`avg_${name}_${column}`, mean(values)],
      [`std_${name}_${column}`, deviation(values)],
    ]),
  )
}

function longsAndShorts(trades: readonly ClosedTrade[]): Table {
  const longs = trades.filter(({ isLong }) => isLong)
  const shorts = trades.filter(({ isLong }) => !isLong)
  return {
    ...groupTable('longs', longs),
    ...groupTable('shorts', shorts),
    ...{ num_long_trades: longs.length, num_short_trades: shorts.length },
    long_short_trades_ratio: trades.length === 0 ? 0 : longs.length / trades.length,
  }
}

function overview(trades: readonly ClosedTrade[]): Table {
  const [minutes, notionals] = [trades.map((t) => t.minutes), trades.map((t) => t.notional)]
  return {
    ...{ total_trades: trades.length, avg_holding_period_mins: mean(minutes) },
    ...{ median_holding_period_mins: median(minutes), std_holding_period_mins: deviation(minutes) },
    ...{ avg_size_of_trade_notional: mean(notionals), median_size_of_trade_notional: median(notionals) },
    ...{ std_size_of_trade_notional: deviation(notionals) },
    ...{ avg_convo_leverage: null, median_convo_leverage: null },
  }
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((total, one) => total + one, 0) / values.length

/** Of a sample. */
function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0
  const middle = mean(values)
  const squares = values.reduce((total, one) => total + (one - middle) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1))
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
