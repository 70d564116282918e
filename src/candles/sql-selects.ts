// The selects of the store, prepared: a write of one bar makes three of them, and a page of an answer is one.
import {
  and,
  asc,
  type Database,
  desc,
  eq,
  gt,
  gte,
  lt,
  lte,
  prepareSelect,
  sql as raw,
  type Tx,
} from '../db/index.ts'
import type { Bar, BarKey, CandleQuery, Interval } from './candle.ts'
import { LOOK_BACK } from './indicators.ts'
import { barFields, barOf, type CandleTable, candleFields, candleOf } from './sql-rows.ts'
import type { Stretch } from './store-merge.ts'
import { keyOf } from './store-series.ts'

// Every bar lies between this and its negative, and no series has as many.
const ALL = Number.MAX_SAFE_INTEGER
const NEIGHBOURS = LOOK_BACK - 1

const given = <const N extends string>(name: N) => raw.placeholder(name)
const inSeries = (t: CandleTable) =>
  and(eq(t.source, given('source')), eq(t.ticker, given('ticker')), eq(t.interval, given('interval')))

type Key = 'source' | 'ticker' | 'interval'

const newest = prepareSelect<ReturnType<typeof candleFields>, Key | 'from' | 'to' | 'limit'>(
  ({ candles }) => candleFields(candles),
  (sql, { candles: t }, fields) =>
    sql
      .select(fields)
      .from(t)
      .where(and(inSeries(t), gte(t.time, given('from')), lt(t.time, given('to'))))
      .orderBy(desc(t.time))
      .limit(given('limit')),
)

// Most ranges hold fewer, also those without a limit, and few rows arrive packed: in half the time.
const FEW = 10_000

/** Oldest first. */
export async function readRange(
  database: Pick<Database, 'rows'>,
  { from = -ALL, to = ALL, limit = ALL, ...key }: CandleQuery,
) {
  const series = keyOf(key)
  const [begin, end] = [Math.max(Math.ceil(from), -ALL), Math.min(Math.ceil(to), ALL)]
  const ask = (most: number) => database.rows(newest, { ...series, from: begin, to: end, limit: most })
  // Each time in one statement, which sees one moment.
  let rows = await ask(Math.min(limit, FEW))
  if (rows.length === FEW && limit > FEW) rows = await ask(limit)
  return rows.reverse().map((row) => candleOf(series, row))
}

const written = prepareSelect<Pick<CandleTable, 'time'>, Key | 'first' | 'last' | 'since'>(
  ({ candles: { time } }) => ({ time }),
  (sql, { candles: t }, fields) =>
    sql
      .select(fields)
      .from(t)
      .where(
        and(
          ...[inSeries(t), gte(t.time, given('first')), lte(t.time, given('last'))],
          gte(t.updatedAt, given('since')),
        ),
      ),
)

export interface WrittenSpan {
  /** Beginnings of the first and the last bar that may be told, both inclusive. */
  readonly first: number
  readonly last: number
  /** When they, or their columns, were written: then or later. */
  readonly since: number
}

/** Beginnings of bars. All in ms UTC. */
export const readWritten = async (database: Pick<Database, 'rows'>, key: BarKey, span: WrittenSpan) =>
  (await database.rows(written, { ...keyOf(key), ...span })).map(({ time }) => time)

const inFront = prepareSelect<Pick<CandleTable, 'close' | 'volume'>, Key | 'first' | 'limit'>(
  ({ candles: { close, volume } }) => ({ close, volume }),
  (sql, { candles: t }, fields) =>
    sql
      .select(fields)
      .from(t)
      .where(and(inSeries(t), lt(t.time, given('first'))))
      .orderBy(desc(t.time))
      .limit(given('limit')),
)

const within = prepareSelect<ReturnType<typeof barFields>, Key | 'first' | 'last' | 'limit'>(
  ({ candles }) => barFields(candles),
  (sql, { candles: t }, fields) =>
    sql
      .select(fields)
      .from(t)
      .where(and(inSeries(t), gte(t.time, given('first')), lte(t.time, given('last'))))
      .orderBy(asc(t.time))
      .limit(given('limit')),
)

const behind = prepareSelect<ReturnType<typeof barFields>, Key | 'last' | 'limit'>(
  ({ candles }) => barFields(candles),
  (sql, { candles: t }, fields) =>
    sql
      .select(fields)
      .from(t)
      .where(and(inSeries(t), gt(t.time, given('last'))))
      .orderBy(asc(t.time))
      .limit(given('limit')),
)

// Of a dense series, 2,000 bars far apart have 800,000 others between them: 1.6 GB and 1.9 s without a turn of the loop.
const WITHIN_MAX = 20_000

/** What a write of bars sees and what sees them. */
export interface Around extends Stretch<Bar> {
  /** Of how many of the bars, the first ones; at least one. */
  readonly bars: number
}

/** @param bars at least one, oldest first. */
export async function readAround(tx: Tx, key: BarKey, bars: readonly Bar[]): Promise<Around> {
  const series = keyOf(key)
  const place = { ...series, first: bars[0]!.time, last: bars.at(-1)!.time }
  const before = await tx.rows(inFront, { ...place, limit: NEIGHBOURS })
  const known = await tx.rows(within, { ...place, limit: WITHIN_MAX })
  const last = known.length < WITHIN_MAX ? place.last : known.at(-1)!.time
  known.push(...(await tx.rows(behind, { ...series, last, limit: NEIGHBOURS })))
  return {
    before: before.reverse(),
    known: known.map((row) => barOf(series, row)),
    bars: bars.filter(({ time }) => time <= last).length,
  }
}

const nextTicker = prepareSelect<Pick<CandleTable, 'ticker'>, 'source' | 'ticker'>(
  ({ candles: { ticker } }) => ({ ticker }),
  (sql, { candles: t }, fields) =>
    sql
      .select(fields)
      .from(t)
      .where(and(eq(t.source, given('source')), gt(t.ticker, given('ticker'))))
      .orderBy(asc(t.ticker))
      .limit(1),
)

/** Leaps from ticker to ticker, because a list of all bars would take a second for each few million. */
export async function readTickers(tx: Tx, source: string, intervals: readonly Interval[]): Promise<string[]> {
  const found: string[] = []
  let [row] = await tx.rows(nextTicker, { source, ticker: '' })
  while (row) {
    const { ticker } = row
    for (const interval of intervals) {
      const bars = await tx.rows(behind, { source, ticker, interval, last: -ALL, limit: 1 })
      if (bars.length === 0) continue
      found.push(ticker)
      break
    }
    ;[row] = await tx.rows(nextTicker, { source, ticker })
  }
  return found
}

const nextSource = prepareSelect<Pick<CandleTable, 'source'>, 'source'>(
  ({ candles: { source } }) => ({ source }),
  (sql, { candles: t }, fields) =>
    sql
      .select(fields)
      .from(t)
      .where(gt(t.source, given('source')))
      .orderBy(asc(t.source))
      .limit(1),
)

/** Leaps from source to source, of which there are few. */
export async function readSources(tx: Tx, ticker: string, interval: Interval): Promise<string[]> {
  const found: string[] = []
  let [row] = await tx.rows(nextSource, { source: '' })
  while (row) {
    const { source } = row
    const bars = await tx.rows(behind, { source, ticker, interval, last: -ALL, limit: 1 })
    if (bars.length > 0) found.push(source)
    ;[row] = await tx.rows(nextSource, { source })
  }
  return found
}
