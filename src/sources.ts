// Where the answers of the views come from, each declared once: the gateway reads by it, the scheduler and `sluice cache
// warm` fill Redis by it, and what is cached is compared with it. A new view is one entry here. Candles are kept in the
// memory of who answers, and come from the store that the cut-over names.
import { join } from 'node:path'
import { latestOpportunities } from './arbitrage/index.ts'
import { type AnySource, defineSource, type Source, type View, type Views } from './cache/index.ts'
import {
  type Candle,
  type CandleReader,
  calendarOf,
  comparedCandles,
  openCsvCandles,
  openSqlCandles,
} from './candles/index.ts'
import {
  ALL_VENUES,
  allPositions,
  assetContexts,
  type CandleRange,
  candleRanges,
  lastCycle,
  latestEquity,
  latestFunding,
  latestMessages,
  latestOpportunities as latestOpportunitiesView,
  latestScores,
  latestTrades,
  statusTotals,
  symbolLevels,
} from './catalog/index.ts'
import { LIMIT_DEFAULT, PAGE_LIMITS } from './console/index.ts'
import type { Cutover } from './cutover/index.ts'
import type { Database, Tx } from './db/index.ts'
import { contextsOf, latestFundingOf } from './funding/index.ts'
import { decidingModels, lastCycleOf, latestScoresOf, levelsOf, messagesOf } from './insights/index.ts'
import { type Clock, type Config, parseHolidays } from './kernel/index.ts'
import { equityOf, latestTradesOf, positionsOf, totalsOf } from './ledger/index.ts'

export type Sources = ReturnType<typeof openSources>

export function openSources(database: Pick<Database, 'read'>) {
  return {
    /** Lives two seconds: whoever asks for it has loaded it before a warmer would. */
    opportunities: newest(database, latestOpportunitiesView, latestOpportunities),
    trades: newest(database, latestTrades, latestTradesOf, [PAGE_LIMITS.rows, LIMIT_DEFAULT]),
    equity: newest(database, latestEquity, equityOf, [LIMIT_DEFAULT, PAGE_LIMITS.points]),
    positions: single(database, allPositions, positionsOf),
    totals: single(database, statusTotals, totalsOf),
    funding: byVenue(database, latestFunding, latestFundingOf, true),
    /** They live two seconds as well. */
    contexts: byVenue(database, assetContexts, contextsOf, false),
    messages: defineSource({
      view: latestMessages,
      load: ([model, limit]) => database.read((tx) => messagesOf(tx, model, limit)),
      keyOf: ([model = '', limit = '']): [string, number] => [model, Number(limit)],
    }),
    cycle: defineSource({
      view: lastCycle,
      load: ([model]) => database.read((tx) => lastCycleOf(tx, model)),
      keyOf: ([model = '']): [string] => [model],
      warm: {
        keys: async () => (await database.read(decidingModels)).map((model): [string] => [model]),
        loadMany: (keys) =>
          database.read(async (tx) => {
            const rows = []
            for (const [model] of keys) rows.push(await lastCycleOf(tx, model))
            return rows
          }),
      },
    }),
    scores: newest(database, latestScores, latestScoresOf, [LIMIT_DEFAULT]),
    levels: defineSource({
      view: symbolLevels,
      load: ([symbol]) => database.read((tx) => levelsOf(tx, symbol)),
      keyOf: ([symbol = '']): [string] => [symbol],
    }),
  }
}

/** For who treats all alike: each is given keys of its own only. */
export const allSources = (sources: Sources): readonly AnySource[] =>
  Object.values(sources) as unknown as readonly AnySource[]

// A request may ask for 10,000 rows of each ticker: large answers are not worth the memory that they take from others.
const CACHED_ROWS_MAX = 1_000

/** The candles of the database, short ranges of them out of the memory. */
export const cachedCandles = (
  sql: CandleReader,
  views: Pick<Views, 'get'>,
  view: View<CandleRange, readonly Candle[]>,
): CandleReader => ({
  ...sql,
  async range(query) {
    const { source, ticker, interval, from = '-', to = '-', limit = Number.POSITIVE_INFINITY } = query
    if (limit > CACHED_ROWS_MAX) return sql.range(query)
    const key: CandleRange = [source, ticker, interval, from, to, limit]
    return [...(await views.get(view, key, () => sql.range(query)))]
  },
})

export interface CandleReadsOptions {
  readonly config: Pick<Config, 'CANDLES_BACKEND' | 'DATA_DIR' | 'FALLBACK_TO_CSV' | 'MARKET_HOLIDAYS'>
  readonly database: Database
  readonly clock: Clock
  readonly views: Pick<Views, 'get'>
  /** Asked only with CANDLES_BACKEND=dual. */
  readonly cutover: () => Pick<Cutover<'candles'>, 'read' | 'reads' | 'phase'>
}

/**
 * Candles for who asks the gateway: which store answers a request now, and the files, where they may answer in place of
 * the database. What is read is compared as the phase says, out of the memory nothing: what changes a bar in the
 * database drops it there, and the files follow later, so what they answer is not kept.
 */
export function openCandleReads({ config, database, clock, views, cutover }: CandleReadsOptions) {
  const view = candleRanges<Candle>(calendarOf(parseHolidays(config.MARKET_HOLIDAYS)))
  const sql = openSqlCandles({ database, clock })
  const cached = (reader: CandleReader) => cachedCandles(reader, views, view)
  if (config.CANDLES_BACKEND !== 'dual') {
    const only = cached(sql)
    return { candles: () => only, files: () => undefined }
  }
  const csv = openCsvCandles({ dir: join(config.DATA_DIR, 'candles'), clock })
  const { legacy, current } = comparedCandles({ cutover: cutover(), clock, legacy: csv, current: sql })
  const reads = { legacy, current: cached(current) }
  return {
    candles: () => reads[cutover().reads('candles')],
    files: () =>
      cutover().phase('candles') !== 'done' && config.FALLBACK_TO_CSV === 'true' ? csv : undefined,
  }
}

/** A view of one answer. */
function single<V>(
  database: Pick<Database, 'read'>,
  view: View<[], V>,
  read: (tx: Tx) => Promise<V>,
): Source<[], V> {
  const load = () => database.read(read)
  return defineSource({
    ...{ view, load, keyOf: (): [] => [] },
    warm: { keys: async () => [[]], loadMany: async () => [await load()] },
  })
}

/** What there is of all venues, or of one of them. */
function byVenue<R extends { readonly venue: string }>(
  database: Pick<Database, 'read'>,
  view: View<[venue: string], R[]>,
  read: (tx: Tx, venue?: string) => Promise<R[]>,
  isWarmed: boolean,
): Source<[venue: string], R[]> {
  const load = ([venue]: readonly [venue: string]) =>
    database.read((tx) => read(tx, venue === ALL_VENUES ? undefined : venue))
  return defineSource({
    ...{ view, load, keyOf: ([venue = '']): [venue: string] => [venue] },
    ...(isWarmed && {
      warm: {
        async keys() {
          const rows = await load([ALL_VENUES])
          return [ALL_VENUES, ...new Set(rows.map((row) => row.venue))].map((venue): [string] => [venue])
        },
        async loadMany(keys: readonly (readonly [venue: string])[]) {
          const rows = await load([ALL_VENUES])
          return keys.map(([venue]) =>
            venue === ALL_VENUES ? rows : rows.filter((row) => row.venue === venue),
          )
        },
      },
    }),
  })
}

/** A list of which one asks for the newest so many; the shorter is the beginning of the longer. */
function newest<R>(
  database: Pick<Database, 'read'>,
  view: View<[limit: number], R[]>,
  read: (tx: Tx, limit: number) => Promise<R[]>,
  asked?: readonly number[],
): Source<[limit: number], R[]> {
  const load = ([limit]: readonly [limit: number]) => database.read((tx) => read(tx, limit))
  return defineSource({
    ...{ view, load, keyOf: ([limit = '']): [limit: number] => [Number(limit)] },
    ...(asked && {
      warm: {
        keys: async () => asked.map((limit): [limit: number] => [limit]),
        async loadMany(keys: readonly (readonly [limit: number])[]) {
          const longest = await load([Math.max(...keys.map(([limit]) => limit))])
          return keys.map(([limit]) => longest.slice(0, limit))
        },
      },
    }),
  })
}
