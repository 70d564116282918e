// Dividends are found while corrected days are imported, before the old prices are gone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bar } from '../../src/candles/candle.ts'
import { watchDividends } from '../../src/candles/dividend-watch.ts'
import { openSqlCandles, type SqlCandles } from '../../src/candles/sql-candles.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

const DAY = 86_400_000
const day = (ticker: string, n: number, close: number, interval: Bar['interval'] = '1D'): Bar => ({
  ...{
    source: 'vn',
    ticker,
    interval,
    time: n * DAY,
    open: close,
    high: close,
    low: close,
    close,
    volume: 1,
  },
})
const days = (ticker: string, close: number, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => day(ticker, from + i, close))

describe('an import of days', () => {
  let test: TestDatabase
  let store: SqlCandles
  beforeAll(async () => {
    test = await openTestDatabase('sqlite')
    store = openSqlCandles({ database: test.database, clock: systemClock })
    await store.write([...days('VIC', 110, 0, 30), ...days('VCB', 50, 0, 30), day('VIC', 3, 110, '1h')])
  })
  afterAll(() => test.close())

  it('tells which prices were adjusted, over all of its batches, and what keeps the old ones', async () => {
    const watch = watchDividends(store)
    for (const from of [0, 10, 20]) {
      await watch.write([...days('VIC', 100, from, from + 10), ...days('VCB', 50, from, from + 10)])
    }
    const plans = await watch.plans()
    expect(plans).toMatchObject([{ source: 'vn', ticker: 'VIC', first: 0, isCut: false, purge: ['1h'] }])
    // The last day of each batch may be the newest of its file.
    expect(plans[0]!.days).toHaveLength(27)
    expect(await store.range({ source: 'vn', ticker: 'VIC', interval: '1D', limit: 1 })).toMatchObject([
      { close: 100 },
    ])
  })

  it('finds nothing when the same files are imported again', async () => {
    const watch = watchDividends(store)
    await watch.write(days('VIC', 100, 0, 30))
    expect(await watch.plans()).toEqual([])
  })

  it('says when the files do not reach back to the first stored day', async () => {
    const watch = watchDividends(store)
    await watch.write(days('VIC', 80, 10, 30))
    expect(await watch.plans()).toMatchObject([{ ticker: 'VIC', isCut: true }])
  })
})
