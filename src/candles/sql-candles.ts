// Candles in SQL, the same on both databases.
import { and, asc, count, type Database, eq, inArray, max, min, type Tx } from '../db/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { BarKey, CandleStore, Interval } from './candle.ts'
import { readRange, readSources, readTickers, readWritten, type WrittenSpan } from './sql-selects.ts'
import { type CandlesChanged, lockSeries, writeBars } from './sql-write.ts'
import type { TickerStore } from './tickers-read.ts'

export interface SqlCandlesOptions {
  readonly database: Database
  readonly clock: Clock
  /**
   * Called within the transaction of `write` and `purge`, once for each series in which a bar is new, has changed or
   * is gone: what is to be told goes into the outbox of that transaction. The columns of up to 199 bars behind `to`
   * may have changed with them.
   */
  readonly onChanged?: (tx: Tx, change: CandlesChanged) => Promise<void>
}

export interface SqlCandles extends CandleStore, TickerStore {
  /** Beginnings of the bars of a span that were written lately, ms UTC. */
  writtenSince(key: BarKey, span: WrittenSpan): Promise<readonly number[]>
}

export function openSqlCandles({ database, clock, onChanged }: SqlCandlesOptions): SqlCandles {
  const { driver } = database
  const tell = async (tx: Tx, changes: readonly CandlesChanged[]) => {
    for (const change of changes) await onChanged?.(tx, change)
  }
  return {
    name: 'sql',
    write: (bars) =>
      database.write(async (tx) => {
        const { changes, ...written } = await writeBars(tx, driver, bars, clock.now())
        await tell(tx, changes)
        return written
      }),
    range: (query) => readRange(database, query),
    writtenSince: (key, span) => readWritten(database, key, span),
    tickers: (source, intervals) => database.read((tx) => readTickers(tx, source, intervals)),
    sources: (ticker, interval) => database.read((tx) => readSources(tx, ticker, interval)),
    keys: (source, ticker) => database.read((tx) => readKeys(tx, source, ticker)),
    purge: (source, ticker, intervals) =>
      database.write(async (tx) => {
        const keys = [...new Set(intervals)].sort().map((interval) => ({ source, ticker, interval }))
        for (const key of keys) await lockSeries(tx, driver, key)
        const gone = await purgeSeries(tx, source, ticker, intervals)
        await tell(
          tx,
          gone.map(({ change }) => change),
        )
        return gone.reduce((sum, { bars }) => sum + bars, 0)
      }),
  }
}

const extent = ({ t: { candles } }: Tx) => ({
  interval: candles.interval,
  bars: count(),
  first: min(candles.time),
  last: max(candles.time),
})

async function readKeys(tx: Tx, of: string | undefined, named: string | undefined) {
  const { source, ticker, interval } = tx.t.candles
  const rows = await tx.sql
    .select({ source, ticker, ...extent(tx) })
    .from(tx.t.candles)
    .where(
      and(of === undefined ? undefined : eq(source, of), named === undefined ? undefined : eq(ticker, named)),
    )
    .groupBy(source, ticker, interval)
    .orderBy(asc(source), asc(ticker), asc(interval))
  return rows.map((row) => ({
    ...row,
    interval: row.interval as Interval,
    first: row.first!,
    last: row.last!,
  }))
}

async function purgeSeries(tx: Tx, source: string, ticker: string, intervals: readonly Interval[]) {
  const { candles } = tx.t
  const here = and(
    ...[eq(candles.source, source), eq(candles.ticker, ticker)],
    inArray(candles.interval, [...intervals]),
  )
  const { interval } = candles
  const rows = await tx.sql
    .select(extent(tx))
    .from(candles)
    .where(here)
    .groupBy(interval)
    .orderBy(asc(interval))
  await tx.sql.delete(candles).where(here)
  return rows.map((row) => {
    const range = { interval: row.interval as Interval, from: row.first!, to: row.last! }
    const change: CandlesChanged = { source, ticker, ...range, kind: 'purged' }
    return { change, bars: row.bars }
  })
}
