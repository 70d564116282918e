// Dividends are found while corrected days are imported, before the old prices are gone, and are not lost in a kill.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bar } from '../../src/candles/candle.ts'
import { planPurge } from '../../src/candles/dividend.ts'
import { openCandleImport } from '../../src/candles/import-candles.ts'
import { openSqlCandles, type SqlCandles } from '../../src/candles/sql-candles.ts'
import { listImportFiles, runImport } from '../../src/imports/index.ts'
import { isoTime, systemClock } from '../../src/kernel/index.ts'
import { type Folder, openFolder } from '../imports/rig.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

const DAY = 86_400_000
const HEADER = 'ticker,time,open,high,low,close,volume'
const day = (source: string, ticker: string, n: number, close: number): Bar => ({
  ...{ source, ticker, interval: '1D', time: n * DAY },
  ...{ open: close, high: close, low: close, close, volume: 1 },
})
const days = (source: string, ticker: string, close: number) =>
  Array.from({ length: 30 }, (_, n) => day(source, ticker, n, close))
const csv = (ticker: string, close: number, from = 0) =>
  [HEADER, ...days('', ticker, close).slice(from).map(lineOf)].join('\n')
const lineOf = ({ ticker, time, close }: Bar) =>
  `${ticker},${isoTime(time).slice(0, 10)},${close},${close},${close},${close},1`

describe('an import of days', () => {
  let test: TestDatabase
  let store: SqlCandles
  let folder: Folder
  let turn = 0
  beforeAll(async () => {
    test = await openTestDatabase('sqlite')
    store = openSqlCandles({ database: test.database, clock: systemClock })
    folder = openFolder()
  })
  afterAll(async () => {
    folder.remove()
    await test.close()
  })

  /** VIC and VNM are stored with prices from before a dividend, VCB as it is in the files. */
  async function begin() {
    const source = `s${turn++}`
    const hour: Bar = { ...day(source, 'VIC', 3, 110), interval: '1h' }
    await store.write([
      ...days(source, 'VIC', 110),
      ...days(source, 'VNM', 90),
      ...days(source, 'VCB', 50),
      hour,
    ])
    for (const [ticker, close] of [
      ['VCB', 50],
      ['VIC', 100],
      ['VNM', 60],
    ] as const) {
      folder.file(`${source}/daily/${ticker}.csv`, csv(ticker, close))
    }
    return source
  }
  /** `dies` may throw as a process that is killed does. */
  async function importAll(source: string, dies: (place: 'before' | 'behind') => void = () => {}) {
    const dying = {
      range: store.range,
      async write(bars: readonly Bar[]) {
        dies('before')
        const written = await store.write(bars)
        dies('behind')
        return written
      },
    }
    const { report, ...parts } = openCandleImport({ store: dying, source })
    const files = await listImportFiles(`${folder.path}/${source}`)
    const { database } = test
    await runImport({ database, clock: systemClock, kind: 'candles', files, batchPieces: 10, ...parts })
    return report().dividends
  }
  const expected = (source: string) => [
    { source, ticker: 'VIC', first: 0, from: 0, to: 28 * DAY, ratio: 1.1 },
    { source, ticker: 'VNM', first: 0, from: 0, to: 28 * DAY, ratio: 1.5 },
  ]

  it('tells which prices were adjusted, over all of its batches, and what keeps the old ones', async () => {
    const source = await begin()
    const found = await importAll(source)
    expect(found).toEqual(expected(source))
    const keys = await store.keys(source)
    expect(planPurge(found[0]!, keys)).toEqual({ source, ticker: 'VIC', isCut: false, purge: ['1h'] })
    expect(await store.range({ source, ticker: 'VIC', interval: '1D', limit: 1 })).toMatchObject([
      { close: 100 },
    ])
    expect(await importAll(source), 'the same files again').toEqual([])
  })

  // Three writes for each of VCB, VIC and VNM.
  it.each([
    ['before', 5],
    ['behind', 4],
    ['behind', 5],
    ['behind', 9],
  ] as const)('tells all of them at its end although it was killed %s write %i', async (place, at) => {
    const source = await begin()
    let writes = 0
    const killed = importAll(source, (here) => {
      if (here === place && ++writes === at) throw new Error('killed')
    })
    await expect(killed).rejects.toThrow('killed')
    expect(await importAll(source)).toEqual(expected(source))
  })

  it('says when the files do not reach back to the first stored day', async () => {
    const source = await begin()
    folder.file(`${source}/daily/VIC.csv`, csv('VIC', 80, 10))
    const [found] = await importAll(source)
    expect(planPurge(found!, await store.keys(source))).toMatchObject({ ticker: 'VIC', isCut: true })
  })
})
