import SqliteFile from 'better-sqlite3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openSqlCandles, type SqlCandles } from '../../src/candles/sql-candles.ts'
import type { CandlesChanged } from '../../src/candles/sql-write.ts'
import { type Database, eq, openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { aBar, barsFrom, candlesOf, MINUTE, START } from './store-bars.ts'
import { describeStore } from './store-conformance.ts'

const clock = systemClock
for (const driver of drivers) {
  describeStore(`candles in ${driver}`, async () => {
    const { database, close } = await openTestDatabase(driver)
    return { store: openSqlCandles({ database, clock }), close }
  })
}

describe.each(drivers)('the table of candles in %s', (driver) => {
  let place: TestDatabase
  let told: CandlesChanged[]
  let store: SqlCandles
  let at = 1_000
  let turn = 0
  beforeAll(async () => {
    place = await openTestDatabase(driver)
    const onChanged = async (_tx: unknown, change: CandlesChanged) => void told.push(change)
    store = openSqlCandles({ database: place.database, clock: { ...clock, now: () => at }, onChanged })
  })
  afterAll(() => place.close())
  beforeEach(() => {
    told = []
  })
  /** A series of its own for each test. */
  const newKey = () => ({ source: 'vn', ticker: `T${turn++}`, interval: '1m' }) as const

  const updatedAt = (ticker: string) =>
    place.database.read(async ({ sql, t: { candles } }) => {
      const updated = sql.select({ at: candles.updatedAt }).from(candles).where(eq(candles.ticker, ticker))
      return (await updated.orderBy(candles.time)).map((row) => row.at)
    })

  it('touches no row but those that differ', async () => {
    const key = newKey()
    at = 1_000
    await store.write(barsFrom(0, 500, key))
    at = 2_000
    await store.write(barsFrom(0, 500, key))
    expect(new Set(await updatedAt(key.ticker))).toEqual(new Set([1_000]))
    await store.write([aBar(100, key, 1)])
    const touched = (await updatedAt(key.ticker)).flatMap((when, i) => (when === 2_000 ? [i] : []))
    expect(touched).toEqual(Array.from({ length: 200 }, (_, i) => 100 + i))
  })

  it('tells each series that has changed, once and within its transaction', async () => {
    const key = newKey()
    const hours = barsFrom(0, 2, { ...key, interval: '1h' })
    await store.write([...barsFrom(0, 5, key), ...hours])
    await store.write(barsFrom(0, 5, key))
    await store.write([...barsFrom(0, 5, key), aBar(2, key, 1), aBar(7, key), ...hours])
    await store.purge('vn', key.ticker, ['1h', '1m', '1D'])
    const change = (interval: '1m' | '1h', from: number, to: number, kind = 'written') => ({
      ...{ ...key, interval, from: START + from * MINUTE, to: START + to * MINUTE, kind },
    })
    expect(told).toEqual([
      ...[change('1h', 0, 1), change('1m', 0, 4), change('1m', 2, 7)],
      ...[change('1h', 0, 1, 'purged'), change('1m', 0, 7, 'purged')],
    ])
    const failing = openSqlCandles({
      ...{ database: place.database, clock },
      async onChanged() {
        throw new Error('the outbox is broken')
      },
    })
    await expect(failing.write([aBar(0, key)])).rejects.toThrow('the outbox is broken')
    expect(await store.range(key)).toEqual([])
  })

  it('lets two who write one series at once come to the columns of one', async () => {
    const key = newKey()
    const other = openDatabase(place.options)
    const stores = [store, openSqlCandles({ database: other, clock })]
    const writes = Array.from({ length: 30 }, (_, i) => stores[i % 2]!.write(barsFrom(i * 17, 20, key)))
    await Promise.all(writes)
    expect(await store.range(key)).toEqual(candlesOf(barsFrom(0, 29 * 17 + 20, key)))
    await other.close()
  })

  it('gives all their columns to bars that are corrected far apart in a long series', async () => {
    const key = newKey()
    const all = barsFrom(0, 24_000, key)
    await store.write(all)
    const corrected = all.map((bar, i) => (i % 390 === 7 ? { ...bar, close: bar.close + 1 } : bar))
    const written = await store.write(corrected.filter((bar, i) => bar !== all[i]))
    expect(written).toEqual({ stored: 0, changed: 62, unchanged: 0 })
    expect(await store.range(key)).toEqual(candlesOf(corrected))
    expect(told.at(-1)).toMatchObject({ from: all[7]!.time, to: all[7 + 61 * 390]!.time })
  })
})

it('candles in SQL find sources and tickers by their key, and read no list of all bars', async () => {
  const { database, environment, close } = await openTestDatabase('sqlite')
  const texts = new Set<string>()
  const noting: Database = {
    ...database,
    read: (work) =>
      database.read((tx) => {
        const rows: typeof tx.rows = (select, values) => {
          texts.add(select.planFor('sqlite', tx, values).text)
          return tx.rows(select, values)
        }
        return work({ ...tx, rows })
      }),
  }
  const store = openSqlCandles({ database: noting, clock })
  const of = (source: string, ticker: string) => barsFrom(0, 1, { source, ticker, interval: '1m' })
  await store.write([...of('a', 'X'), ...of('b', 'Y'), ...of('c', 'X'), ...of('c', 'Y')])
  expect(await store.sources('X', '1m')).toEqual(['a', 'c'])
  expect(await store.tickers('c', ['1m'])).toEqual(['X', 'Y'])
  const file = new SqliteFile(environment['SQLITE_DB_PATH']!)
  const plans = [...texts].map((text) => {
    const values = Array(text.split('?').length - 1).fill(1)
    return file.prepare<unknown[], { detail: string }>(`explain query plan ${text}`).all(...values)
  })
  file.close()
  await close()
  expect(plans).toHaveLength(3)
  for (const step of plans.flat()) expect(step.detail).toMatch(/^SEARCH candles USING .*INDEX .*\(source[=>]/)
})
