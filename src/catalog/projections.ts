// Redis structures that readers of the replaced systems know by name: what each is, how long it lives, and what it is
// made of. The truth is elsewhere; src/projections writes them (docs/PROJECTIONS.md).
import { LIFETIMES } from '../cache/index.ts'
import { SluiceError } from '../kernel/index.ts'
import { scaled } from './lifetimes.ts'

/** What PROJECTIONS switches on, each kept by itself. */
export const PROJECTION_FAMILIES = ['nof0', 'market', 'ticks', 'candles', 'insights'] as const
export type ProjectionFamily = (typeof PROJECTION_FAMILIES)[number]

type PartsOf<P extends string> = P extends `${string}<${infer N}>${infer R}` ? N | PartsOf<R> : never

type Lifetime = number | 'by interval' | 'of the record' | undefined

export interface Projection<P extends string = string, L extends Lifetime = Lifetime> {
  readonly family: ProjectionFamily
  /** A part in <angle brackets> stands for any text. */
  readonly pattern: P
  readonly type: 'string' | 'hash' | 'list' | 'sorted set' | 'stream'
  /**
   * From the last write of the whole key, ms: no field of it lives longer because of another. `undefined` lives until
   * it is written again; `by interval` is `candleLifetimeMs`; `of the record` ends with what it says, whenever it was
   * written.
   */
  readonly lifetimeMs: L
  /** Members at most, the newest. */
  readonly cap?: number
  readonly truth: string
  /** What makes the keeper write it. */
  readonly changedBy: string
  /** Percent-encodes what could pass for another key. Throws USAGE for an empty part. */
  readonly key: (parts: Readonly<Record<PartsOf<P>, string | number>>) => string
}

const defineProjection = <const P extends string, L extends Lifetime>(
  one: Omit<Projection<P, L>, 'key'>,
): Projection<P, L> => ({
  ...one,
  key: (parts) =>
    one.pattern.replaceAll(/<(\w+)>/g, (_, name: string) =>
      encodePart(one.pattern, name, (parts as Record<string, string | number>)[name]),
    ),
})

/** A `/` stays: readers ask for `ticker:binance:BTC/USDT`. */
function encodePart(pattern: string, name: string, part: string | number | undefined): string {
  const text = String(part ?? '')
  if (text === '') throw new SluiceError('USAGE', `A key of ${pattern} was named with an empty ${name}.`)
  return text.replaceAll(/[^\w.~/!@$*()+,;=-]/gu, (character) => encodeURIComponent(character))
}

const QUOTES = { truth: 'the tick store', changedBy: '`market.quotes`' } as const
const BOOKS = { truth: '`market.quotes`, its last seconds', changedBy: '`market.quotes`' } as const
const TABLES = { truth: 'the table of venues', changedBy: 'its start, and each 10 s' } as const
const BARS = { truth: 'candles in SQL', changedBy: '`candles.changed`' } as const
const LOOKS = { changedBy: 'a look every 500 ms' } as const
const fromLedger = (truth: string) => ({ truth, changedBy: 'bookings' }) as const

const fromRecords = (table: string) =>
  ({ truth: `${table} in SQL`, changedBy: '`insights.records`' }) as const

const nof0 = { family: 'nof0' } as const
const market = { family: 'market' } as const
const ticks = { family: 'ticks' } as const
const candles = { family: 'candles' } as const
const insights = { family: 'insights' } as const
const HOUR = 3_600_000
const DAY = 24 * HOUR

export const projections = {
  price: defineProjection({
    ...{ ...nof0, pattern: 'nof0:price:<provider>:<symbol>:latest', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.short, ...QUOTES },
  }),
  priceLatest: defineProjection({
    ...{ ...nof0, pattern: 'nof0:price:latest:<symbol>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.short, ...QUOTES },
  }),
  cryptoPrices: defineProjection({
    ...{ ...nof0, pattern: 'nof0:crypto_prices', type: 'string', lifetimeMs: LIFETIMES.short, ...QUOTES },
  }),
  positions: defineProjection({
    ...{ ...nof0, pattern: 'nof0:positions:<model>', type: 'hash', lifetimeMs: scaled('medium', 0.5) },
    ...fromLedger('positions and equity_snapshots in SQL'),
  }),
  recentTrades: defineProjection({
    ...{ ...nof0, pattern: 'nof0:trades:recent:<model>', type: 'list', lifetimeMs: LIFETIMES.medium },
    ...{ cap: 100, ...fromLedger('trades and fills in SQL') },
  }),
  tradesStream: defineProjection({
    ...{ ...nof0, pattern: 'nof0:trades:stream', type: 'stream', lifetimeMs: undefined },
    ...{ cap: 10_000, ...fromLedger('trades and fills in SQL') },
  }),
  leaderboard: defineProjection({
    ...{ ...nof0, pattern: 'nof0:leaderboard', type: 'sorted set', lifetimeMs: LIFETIMES.medium },
    ...fromLedger('trades, cash and equity_snapshots in SQL'),
  }),
  leaderboardCache: defineProjection({
    ...{ ...nof0, pattern: 'nof0:leaderboard:cache', type: 'string', lifetimeMs: LIFETIMES.medium },
    ...fromLedger('trades, cash and equity_snapshots in SQL'),
  }),
  sinceInception: defineProjection({
    ...{ ...nof0, pattern: 'nof0:since_inception:<model>', type: 'list', lifetimeMs: LIFETIMES.long },
    ...{ cap: 1_000, ...fromLedger('cash and equity_snapshots in SQL') },
  }),
  marketAsset: defineProjection({
    ...{ ...nof0, pattern: 'nof0:market:asset:<provider>:<symbol>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.long, ...TABLES },
  }),
  analytics: defineProjection({
    ...{ ...nof0, pattern: 'nof0:analytics:<model>', type: 'string', lifetimeMs: scaled('long', 2) },
    ...fromLedger('trades in SQL'),
  }),
  allAnalytics: defineProjection({
    ...{ ...nof0, pattern: 'nof0:analytics:all', type: 'string', lifetimeMs: scaled('long', 2) },
    ...fromLedger('trades in SQL'),
  }),
  simOrders: defineProjection({
    ...{ ...nof0, pattern: 'nof0:sim:orders:<trader>', type: 'list', lifetimeMs: LIFETIMES.medium },
    ...{ cap: 100, ...fromLedger('venue_orders in SQL') },
  }),
  simBalances: defineProjection({
    ...{ ...nof0, pattern: 'nof0:sim:balances:<trader>', type: 'hash', lifetimeMs: LIFETIMES.medium },
    ...fromLedger('cash in SQL'),
  }),
  ticker: defineProjection({
    ...{ ...market, pattern: 'ticker:<exchange>:<symbol>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.short, ...QUOTES },
  }),
  bulkTickers: defineProjection({
    ...{ ...market, pattern: 'bulk_tickers:<exchange>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.short, ...QUOTES },
  }),
  marketPrices: defineProjection({
    ...{ ...market, pattern: 'market_prices:<exchange>:<symbol>:<page>:<limit>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.short, ...QUOTES },
  }),
  marketData: defineProjection({
    ...{ ...market, pattern: 'market_data:<exchange>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.short, ...QUOTES },
  }),
  orderBook: defineProjection({
    ...{ ...market, pattern: 'orderbook:<exchange>:<symbol>:<limit>', type: 'string' },
    ...{ lifetimeMs: scaled('short', 0.5), ...BOOKS },
  }),
  symbolList: defineProjection({
    ...{ ...market, pattern: 'symbol_cache:<exchange>', type: 'string', lifetimeMs: HOUR, ...TABLES },
  }),
  supportedExchanges: defineProjection({
    ...{ ...market, pattern: 'exchange:supported', type: 'string', lifetimeMs: HOUR / 2, ...TABLES },
  }),
  tradingPair: defineProjection({
    ...{ ...market, pattern: 'trading_pair:<exchange>:<symbol>', type: 'string', lifetimeMs: DAY, ...TABLES },
  }),
  latestOpportunities: defineProjection({
    ...{ ...market, pattern: 'arbitrage_opportunities:latest', type: 'string' },
    ...{ lifetimeMs: scaled('medium', 0.5), cap: 100 },
    ...{ truth: 'opportunities in SQL', ...LOOKS },
  }),
  marketContext: defineProjection({
    ...{ ...nof0, pattern: 'nof0:market:ctx:<provider>:<symbol>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.medium, truth: 'asset_contexts in SQL', ...LOOKS },
  }),
  fundingLatest: defineProjection({
    ...{ ...market, pattern: 'funding_rates:latest:all', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.medium, truth: 'funding_rates in SQL', ...LOOKS },
  }),
  fundingOfExchange: defineProjection({
    ...{ ...market, pattern: 'funding_rates:all:<exchange>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.medium, truth: 'funding_rates in SQL', ...LOOKS },
  }),
  fundingOfSymbols: defineProjection({
    ...{ ...market, pattern: 'funding_rates:<exchange>:<symbols>', type: 'string' },
    ...{ lifetimeMs: LIFETIMES.medium, truth: 'funding_rates in SQL', ...LOOKS },
  }),
  recentTicks: defineProjection({
    ...{ ...ticks, pattern: 'ticks:<symbol>', type: 'sorted set', lifetimeMs: DAY, cap: 1_000, ...QUOTES },
  }),
  latestTick: defineProjection({
    ...{ ...ticks, pattern: 'tick:latest:<symbol>', type: 'string', lifetimeMs: HOUR, ...QUOTES },
  }),
  ohlc: defineProjection({
    ...{ ...ticks, pattern: 'ohlc:<symbol>:<timeframe>', type: 'sorted set', lifetimeMs: 30 * DAY },
    ...{ cap: 500, ...BARS },
  }),
  ohlcv: defineProjection({
    ...{ ...candles, pattern: 'ohlcv:<source>:<ticker>:<interval>', type: 'sorted set' },
    ...{ lifetimeMs: undefined, cap: 30_000, ...BARS },
  }),
  tickerList: defineProjection({
    ...{ ...candles, pattern: 'meta:ticker_list', type: 'string', lifetimeMs: HOUR / 4, ...BARS },
  }),
  snapshot: defineProjection({
    ...{ ...candles, pattern: 'snap:<source>:<ticker>:<interval>', type: 'hash' },
    ...{ lifetimeMs: 30_000, ...BARS },
  }),
  history: defineProjection({
    ...{ ...candles, pattern: 'hist:<symbol>:<from>:<to>:<interval>', type: 'string' },
    ...{ lifetimeMs: 'by interval' as const, ...BARS },
  }),
  conversations: defineProjection({
    ...{ ...nof0, pattern: 'nof0:conversations:<model>', type: 'list', lifetimeMs: LIFETIMES.long },
    ...{ cap: 20, ...fromRecords('conversation_messages') },
  }),
  lastDecision: defineProjection({
    ...{ ...nof0, pattern: 'nof0:decision:last:<model>', type: 'string', lifetimeMs: LIFETIMES.medium },
    ...fromRecords('decision_cycles'),
  }),
  traderState: defineProjection({
    ...{ ...nof0, pattern: 'nof0:trader:<id>:state', type: 'hash', lifetimeMs: LIFETIMES.medium },
    ...fromRecords('trader_states'),
  }),
  globalScore: defineProjection({
    ...{ ...insights, pattern: 'scores:global:<symbol>', type: 'hash' },
    ...{ lifetimeMs: 'of the record' as const, ...fromRecords('global_scores') },
  }),
  newestScore: defineProjection({
    ...{ ...insights, pattern: 'scores:cache_timestamp', type: 'string' },
    ...{ lifetimeMs: 'of the record' as const, ...fromRecords('global_scores') },
  }),
  levels: defineProjection({
    ...{ ...insights, pattern: 'sr:<symbol>:<timeframe>', type: 'string' },
    ...{ lifetimeMs: 'of the record' as const, ...fromRecords('sr_levels') },
  }),
  analysis: defineProjection({
    ...{ ...insights, pattern: 'context:analysis:<symbol>:<agent_type>', type: 'hash' },
    ...{ lifetimeMs: undefined, ...fromRecords('agent_analyses') },
  }),
  memory: defineProjection({
    ...{ ...insights, pattern: 'context:memory:<context_type>:<key>', type: 'string' },
    ...{ lifetimeMs: 'of the record' as const, ...fromRecords('agent_memory') },
  }),
  preference: defineProjection({
    ...{ ...insights, pattern: 'context:user:<user_id>:<pref_key>', type: 'string' },
    ...{ lifetimeMs: undefined, ...fromRecords('user_preferences') },
  }),
  learning: defineProjection({
    ...{ ...insights, pattern: 'context:learning:<agent_type>', type: 'hash' },
    ...{ lifetimeMs: undefined, ...fromRecords('agent_learnings') },
  }),
} as const

export const PROJECTIONS: readonly Projection[] = Object.values(projections)

const beginOf = (key: string) => key.slice(0, key.indexOf(':'))
const FAMILIES = new Map(PROJECTIONS.map(({ pattern, family }) => [beginOf(pattern), family]))

/** Of the key of a projection, by what stands in front of its first colon. */
export const familyOf = (key: string): ProjectionFamily | undefined => FAMILIES.get(beginOf(key))

/** What the writers keep beside the keys, in their slots of a cluster: readers see nothing of it in the keys. */
export const projectionKeys = {
  /** The version of what was last written. */
  version: (key: string) => `projection:version:{${key}}`,
  /** A large key before it is renamed. */
  draft: (key: string, writer: string) => `projection:draft:{${key}}:${writer}`,
  /** Sorted set: what was appended to a stream. */
  appended: (key: string) => `projection:appended:{${key}}`,
  /** The newest version that was given out. */
  ticket: 'projection:ticket',
  /** The `run_id` of the server that was written: gone when it was emptied, of another run when it began again. */
  kept: 'projection:kept',
} as const

/** Who holds it keeps the projections. */
export const PROJECTION_LOCK = 'projections'
