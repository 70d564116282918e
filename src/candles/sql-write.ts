// Bars into the table within a transaction, together with the columns of every bar that sees them.
import { type Driver, sql as raw, type Tx } from '../db/index.ts'
import type { Bar, BarKey, Candle, CandlesWritten } from './candle.ts'
import { rowOf } from './sql-rows.ts'
import { readAround } from './sql-selects.ts'
import { mergeBars } from './store-merge.ts'
import { seriesOf, stretchesOf } from './store-series.ts'

/** Bars of one series from the first to the last that is new or has changed, times in ms UTC, both inclusive. */
export interface CandlesChanged extends BarKey {
  readonly from: number
  readonly to: number
  /** `purged`: all that the series had is gone. */
  readonly kind: 'written' | 'purged'
}

export interface WrittenWithChanges extends CandlesWritten {
  readonly changes: readonly CandlesChanged[]
}

export async function writeBars(
  tx: Tx,
  driver: Driver,
  bars: readonly Bar[],
  at: number,
): Promise<WrittenWithChanges> {
  let [stored, changed, unchanged] = [0, 0, 0]
  const changes: CandlesChanged[] = []
  const series = seriesOf(bars)
  for (const { key } of series) await lockSeries(tx, driver, key)
  for (const one of series) {
    let [from, to]: (number | undefined)[] = []
    for (const stretch of stretchesOf(one)) {
      const merged = mergeBars(await readAround(tx, one.key, stretch), stretch)
      const rowsOf = (candles: readonly Candle[]) => candles.map((candle) => rowOf(candle, at))
      await tx.upsert(tx.t.candles, rowsOf(merged.added), { areNew: true })
      await tx.upsert(tx.t.candles, rowsOf(merged.differing))
      stored += merged.stored
      changed += merged.changed
      unchanged += merged.unchanged
      from ??= merged.first
      to = merged.last ?? to
    }
    if (from !== undefined && to !== undefined) changes.push({ ...one.key, from, to, kind: 'written' })
  }
  return { stored, changed, unchanged, changes }
}

/**
 * One writer for each series at a time: two that insert at once would not see each other's bars, and compute columns
 * without them. SQLite has one writer anyway.
 */
export async function lockSeries({ sql }: Tx, driver: Driver, key: BarKey): Promise<void> {
  if (driver !== 'postgres') return
  const name = `candles ${key.source} ${key.ticker} ${key.interval}`
  await sql
    .select({ locked: raw`pg_advisory_xact_lock(hashtextextended(${name}, 0))` })
    .from(raw`(select 1) as one`)
}
