// Stored bars with the time at which each got its values, for the keys that tell it.
import type { Bar, BarKey } from '../candles/index.ts'
import { and, type Database, desc, eq, gte, lte } from '../db/index.ts'

export interface StoredBar extends Omit<Bar, keyof BarKey> {
  /** ms UTC. */
  readonly updatedAt: number
}

/** Oldest first: the newest `limit` between two times, both inclusive. */
export async function readBars(
  database: Database,
  key: BarKey,
  { from, to, limit }: { readonly from?: number; readonly to?: number; readonly limit: number },
): Promise<StoredBar[]> {
  const rows = await database.read(({ sql, t: { candles: t } }) =>
    sql
      .select({
        ...{ time: t.time, open: t.open, high: t.high, low: t.low, close: t.close, volume: t.volume },
        updatedAt: t.updatedAt,
      })
      .from(t)
      .where(
        and(
          ...[eq(t.source, key.source), eq(t.ticker, key.ticker), eq(t.interval, key.interval)],
          from === undefined ? undefined : gte(t.time, from),
          to === undefined ? undefined : lte(t.time, to),
        ),
      )
      .orderBy(desc(t.time))
      .limit(limit),
  )
  return rows.reverse()
}
