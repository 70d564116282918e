// Every cached answer: its key, its shape, how long it may be served. A new view is one declaration here; who owns
// the truth brings the loader and drops the view when it changes (docs/LEDGER.md says which change drops which).
import { z } from 'zod'
import { defineView, dropKey, dropTag, LIFETIMES } from '../cache/index.ts'
import { assetContexts, fundingHistory, latestFunding } from './funding-views.ts'
import { lastCycle, latestMessages, latestScores, symbolLevels } from './insight-views.ts'
import { ALWAYS_OPEN, candleLifetimeMs, type MarketHours } from './lifetimes.ts'
import { symbolName, venueName } from './market.ts'

const decimalText = z.string().regex(/^-?\d+(\.\d+)?$/)
const timeMs = z.number().int()
/** How many rows, newest first. */
type Limit = [limit: number]

/** Float64 estimates of the detector; what was traded stands in the trades. */
const opportunityRow = z.object({
  id: z.string(),
  symbol: symbolName,
  buyVenue: venueName,
  sellVenue: venueName,
  openedAt: timeMs,
  lastSeenAt: timeMs,
  /** Null while it lives. */
  closedAt: timeMs.nullable(),
  reason: z.string(),
  buyPrice: z.number(),
  sellPrice: z.number(),
  edgeBps: z.number(),
  bestEdgeBps: z.number(),
  quantity: z.number(),
  profit: z.number(),
  simulated: z.boolean(),
})
export type OpportunityRow = z.infer<typeof opportunityRow>

/** Base and quote units; `profit` is after fees and in `profitAsset`. */
const tradeRow = z.object({
  opportunityId: z.string(),
  symbol: symbolName,
  buyVenue: venueName,
  sellVenue: venueName,
  outcome: z.string(),
  boughtQuantity: decimalText,
  boughtNotional: decimalText,
  soldQuantity: decimalText,
  soldNotional: decimalText,
  fees: decimalText,
  profit: decimalText,
  profitAsset: z.string(),
  residualQuantity: decimalText,
  residualNotional: decimalText,
  openedAt: timeMs,
  completedAt: timeMs,
  simulated: z.boolean(),
})
export type TradeRow = z.infer<typeof tradeRow>

const positionRow = z.object({
  venue: venueName,
  symbol: symbolName,
  /** Bought − sold. */
  quantity: decimalText,
  boughtQuantity: decimalText,
  boughtNotional: decimalText,
  soldQuantity: decimalText,
  soldNotional: decimalText,
  fees: decimalText,
  lastPrice: decimalText,
  /** Rounded to 8 places, to look at; nothing is computed from them. Null without such a fill. */
  averageBought: decimalText.nullable(),
  averageSold: decimalText.nullable(),
  updatedAt: timeMs,
})
export type PositionRow = z.infer<typeof positionRow>

/** Everything traded in one quote asset, after one trade. */
const equityRow = z.object({
  asset: z.string(),
  time: timeMs,
  /** Opening cash of the asset at all venues, + sold − bought − fees. */
  cash: decimalText,
  /** Open quantities at their last prices. */
  holdings: decimalText,
  /** cash + holdings. */
  equity: decimalText,
  /** Profit of the trades so far. */
  realized: decimalText,
  symbol: symbolName,
  cause: z.string(),
})
export type EquityRow = z.infer<typeof equityRow>

const ledgerTotals = z.object({
  trades: z.number().int(),
  fills: z.number().int(),
  /** Realised profit after fees, by quote asset. */
  profit: z.record(z.string(), decimalText),
})
export type LedgerTotals = z.infer<typeof ledgerTotals>

// Answers that change together, however many rows they show.
const TRADES = 'trades'

export const latestOpportunities = defineView<Limit, OpportunityRow[]>({
  name: 'opportunities',
  about: 'Opportunities, newest first.',
  shape: z.array(opportunityRow),
  parts: ['limit'],
  lifetimeMs: 2_000,
  onlyAges: true,
})

export const latestTrades = defineView<Limit, TradeRow[]>({
  name: 'trades',
  about: 'Completed trades, newest first.',
  shape: z.array(tradeRow),
  parts: ['limit'],
  lifetimeMs: LIFETIMES.short,
  tags: () => [TRADES],
})

export const allPositions = defineView<[], PositionRow[]>({
  name: 'positions',
  about: 'The position of each symbol at each venue.',
  shape: z.array(positionRow),
  parts: [],
  lifetimeMs: LIFETIMES.short,
})

export const latestEquity = defineView<Limit, EquityRow[]>({
  name: 'equity',
  about: 'The equity curve, newest first.',
  shape: z.array(equityRow),
  parts: ['limit'],
  lifetimeMs: LIFETIMES.short,
  tags: () => [TRADES],
})

export const statusTotals = defineView<[], LedgerTotals>({
  name: 'totals',
  about: 'How many fills and trades, and what they earned.',
  shape: ledgerTotals,
  parts: [],
  lifetimeMs: LIFETIMES.short,
})

/** What a fill changes, and what the end of a trade changes. */
export const FILL_DROPS = [dropKey(allPositions, []), dropKey(statusTotals, [])] as const
export const TRADE_DROPS = [...FILL_DROPS, dropTag(TRADES)] as const

/** ms UTC, the first inclusive and the second exclusive; `-` where there is none. */
export type CandleRange = [
  source: string,
  ticker: string,
  interval: string,
  from: number | '-',
  to: number | '-',
  limit: number,
]

const candleTag = (source: string, ticker: string, interval: string) =>
  `candles:${source}:${ticker}:${interval}`

/**
 * A market that is closed brings no candles: what was answered is answered until it opens. In memory only: whoever asks
 * chooses the range, and so how many answers there are, and Redis keeps the streams.
 */
export const candleRanges = <C>(hoursOf: (source: string) => MarketHours) =>
  defineView<CandleRange, readonly C[]>({
    name: 'candles',
    about: 'Candles of a series, the newest of a range.',
    shape: z.array(z.custom<C>((candle) => typeof candle === 'object')),
    parts: ['source', 'ticker', 'interval', 'from', 'to', 'limit'],
    lifetimeMs: ([source, , interval], now) => candleLifetimeMs(interval, now, hoursOf(source)),
    level: 'memory',
    tags: ([source, ticker, interval]) => [candleTag(source, ticker, interval)],
  })

/** What a change of bars changes. */
export const candleDrops = (
  series: readonly { readonly source: string; readonly ticker: string; readonly interval: string }[],
) => series.map(({ source, ticker, interval }) => dropTag(candleTag(source, ticker, interval)))

export const VIEWS = [
  ...[latestOpportunities, latestTrades, allPositions, latestEquity, statusTotals],
  ...[latestFunding, fundingHistory, assetContexts],
  ...[latestMessages, lastCycle, latestScores, symbolLevels],
  candleRanges<unknown>(() => ALWAYS_OPEN),
] as const
