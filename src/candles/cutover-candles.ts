// Candles as the cut-over engine sees them: a part is one interval of a ticker, a record one candle with its columns.
//
// A bar that the database has is never replaced by a copy out of the files: the files follow the database, so what they
// have otherwise is older, and would come back into both. A file that somebody has corrected is imported.
import {
  type CanonicalRecord,
  type FeatureStores,
  otherSide,
  type Part,
  type Side,
} from '../cutover/index.ts'
import { and, type Database, gte, lt } from '../db/index.ts'
import { type Clock, isoTime, randomId } from '../kernel/index.ts'
import { barsEnd } from './bucket.ts'
import type { Bar, BarKey, Candle, CandleStore } from './candle.ts'
import { candleLine } from './csv-row.ts'
import { settledBars } from './hold-growing.ts'
import { keepBars, lockBars } from './keep-bars.ts'
import { ofSeries } from './sql-rows.ts'

export interface CandlePart extends Part, BarKey {
  /** Beginnings of the first and the last bar in the store that the part is from, ms UTC. */
  readonly first: number
  readonly last: number
}

export interface CandleStoresOptions {
  readonly database: Database
  readonly clock: Clock
  /** The files, and what reads the database. */
  readonly legacy: CandleStore
  readonly current: CandleStore
  /**
   * Resolves when the files have what the database told before: what it has deleted and they still have would come back
   * with a copy out of them.
   */
  readonly drained?: FeatureStores['drained']
}

// Bars that are read and written at once; a file is read whole each time.
const WINDOW = 20_000

export function candleStores(options: CandleStoresOptions): FeatureStores<CandlePart> {
  const stores: Record<Side, CandleStore> = { legacy: options.legacy, current: options.current }
  const into: Record<Side, (bars: readonly Candle[]) => Promise<unknown>> = {
    legacy: (bars) => options.legacy.write(bars),
    current: (bars) => addMissing(options, bars),
  }
  return {
    name: 'candles',
    async parts(side) {
      const keys = await stores[side].keys()
      return keys.map(({ bars, ...key }) => ({ ...key, name: nameOf(key), records: bars }))
    },
    records: (side, part) => recordsOf(stores[side], part, options.clock),
    async copy(part, to, onRead, signal) {
      for await (const bars of pagesOf(stores[otherSide(to)], part)) {
        signal.throwIfAborted()
        await into[to](bars)
        onRead(bars.length)
      }
    },
    ...(options.drained && { drained: options.drained }),
  }
}

const nameOf = ({ source, ticker, interval }: BarKey) => `${source} ${ticker} ${interval}`

/** Oldest first, also what lies outside of the part's times: the other store may have more than the one it is from. */
async function* pagesOf(store: CandleStore, part: CandlePart): AsyncGenerator<readonly Candle[]> {
  const { source, ticker, interval, first, last } = part
  const key = { source, ticker, interval }
  yield* notEmpty(await store.range({ ...key, to: first }))
  for (let from = first; from <= last; ) {
    const to = Math.min(barsEnd(interval, from, WINDOW), last + 1)
    yield* notEmpty(await store.range({ ...key, from, to }))
    from = to
  }
  yield* notEmpty(await store.range({ ...key, from: last + 1 }))
}

const notEmpty = (bars: readonly Candle[]) => (bars.length > 0 ? [bars] : [])

/** Only of what is settled. */
async function* recordsOf(
  store: CandleStore,
  part: CandlePart,
  clock: Clock,
): AsyncGenerator<CanonicalRecord[]> {
  const name = nameOf(part)
  for await (const candles of pagesOf(store, part)) {
    const settled = settledBars(candles, clock.now())
    yield settled.map((candle) => ({ key: `${name} ${isoTime(candle.time)}`, value: candleLine(candle) }))
  }
}

/** Bars of one series, oldest first. Whoever follows the database hears of them as of any others. */
function addMissing({ database, clock }: CandleStoresOptions, bars: readonly Bar[]): Promise<void> {
  const cause = randomId()
  return database.write(async (tx) => {
    const { sql, t } = tx
    const { driver } = database
    await lockBars(tx, driver, bars)
    const within = and(
      ofSeries(t.candles, bars[0]!),
      gte(t.candles.time, bars[0]!.time),
      lt(t.candles.time, bars.at(-1)!.time + 1),
    )
    const rows = await sql.select({ time: t.candles.time }).from(t.candles).where(within)
    const known = new Set(rows.map(({ time }) => time))
    const missing = bars.filter(({ time }) => !known.has(time))
    await keepBars(tx, missing, { driver, origin: 'files', replaces: 'always', cause, at: clock.now() })
  })
}
