// The recorded candles through the import into both databases and the files, and all three compared line by line.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CandleStore } from '../../src/candles/candle.ts'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { candleLine } from '../../src/candles/csv-row.ts'
import { openCandleImport } from '../../src/candles/import-candles.ts'
import { openSqlCandles } from '../../src/candles/sql-candles.ts'
import { eq } from '../../src/db/index.ts'
import { listImportFiles, runImport } from '../../src/imports/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { recording } from '../support/recordings.ts'

const clock = systemClock
const daily = recording('candles/daily')

describe.skipIf(!daily)('the recorded days', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-parity-'))
  let places: TestDatabase[]
  let stores: Readonly<Record<'sqlite' | 'postgres' | 'csv', CandleStore>>
  beforeAll(async () => {
    places = [await openTestDatabase('sqlite'), await openTestDatabase('postgres')]
    const [sqlite, postgres] = places.map(({ database }) => openSqlCandles({ database, clock }))
    stores = { sqlite: sqlite!, postgres: postgres!, csv: openCsvCandles({ dir, clock }) }
  })
  afterAll(async () => {
    for (const place of places) await place.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const run = async (store: CandleStore) => {
    const { report, ...parts } = openCandleImport({ store, source: 'vn', scale: 1_000 })
    const [{ database }] = places as [TestDatabase]
    const files = await listImportFiles(daily!)
    const result = await runImport({ database, clock, kind: 'candles', files, fromStart: true, ...parts })
    return { result, report: report() }
  }
  /** Few enough to be shown. */
  const differences = (some: readonly string[], others: readonly string[]) =>
    Array.from({ length: Math.max(some.length, others.length) }, (_, i) => [some[i], others[i]])
      .filter(([one, other]) => one !== other)
      .slice(0, 3)
  const linesOf = async (store: CandleStore) => {
    const lines: string[] = []
    for (const key of await store.keys('vn')) lines.push(...(await store.range(key)).map(candleLine))
    return lines
  }

  it('are all imported, into every store, and a second import stores nothing', async () => {
    for (const store of Object.values(stores)) {
      const { result, report } = await run(store)
      expect(result).toMatchObject({ files: 20, read: 50_007, stored: 50_007, duplicate: 0, quarantined: {} })
      // One day has a close of 0, which is also below its low.
      expect(report.flagged).toEqual({ non_positive: 1, inconsistent: 1 })
      const text = 'POW,2018-07-23,12.30525,12.30525,11.92369,0.0,802090'
      const example = { path: expect.stringMatching(/POW.csv$/), text }
      expect(report.examples).toMatchObject([
        { flag: 'non_positive', ...example },
        { flag: 'inconsistent', ...example },
      ])
    }
    const again = await run(stores.sqlite)
    expect(again.result).toMatchObject({ read: 50_007, stored: 0, duplicate: 50_007 })
  })

  it('are the same in the databases and the files, to the last bit of every column', async () => {
    const [sqlite, postgres, csv] = await Promise.all(Object.values(stores).map(linesOf))
    expect(sqlite).toHaveLength(50_007)
    expect(differences(sqlite!, postgres!)).toEqual([])
    expect(differences(sqlite!, csv!)).toEqual([])
    // And both are what the files say, in VND.
    const files = await listImportFiles(daily!)
    const texts = files.flatMap(({ path }) => readFileSync(path, 'utf8').trim().split('\n').slice(1))
    const said = texts.map((line) => {
      const [ticker, time, ...numbers] = line.split(',')
      const prices = numbers.slice(0, 4).map((price) => Number(`${price}e3`))
      return [ticker, time, ...prices, numbers[4]].join()
    })
    const stored = sqlite!.map((line) => line.split(',').slice(0, 7).join())
    expect(differences(said, stored)).toEqual([])
  })

  it('differ when one close was changed by the last bit', async () => {
    const [{ database }] = places as [TestDatabase]
    const [key] = await stores.sqlite.keys('vn')
    const [candle] = await stores.sqlite.range({ ...key!, limit: 1 })
    await database.write(({ sql, t }) =>
      sql
        .update(t.candles)
        .set({ close: candle!.close * (1 + Number.EPSILON) })
        .where(eq(t.candles.close, candle!.close)),
    )
    const lines = async (store: CandleStore) => (await store.range(key!)).map(candleLine)
    expect(differences(await lines(stores.sqlite), await lines(stores.csv))).toHaveLength(1)
  })
})
