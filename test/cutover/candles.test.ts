// Candles go from CSV files to the database and back.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bucketOf } from '../../src/candles/bucket.ts'
import type { Bar, CandleStore } from '../../src/candles/candle.ts'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { candleStores } from '../../src/candles/cutover-candles.ts'
import { openSqlCandles } from '../../src/candles/sql-candles.ts'
import { CACHE_DROPS } from '../../src/catalog/index.ts'
import type { Cutover, Difference } from '../../src/cutover/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { openRealEngine } from './rig.ts'

describe.each(drivers)('candles in files and on %s', (driver) => {
  let place: TestDatabase
  let folder: string
  let csv: CandleStore & { close(): Promise<void> }
  let sql: CandleStore
  let engine: Cutover<'ticks' | 'candles'>
  beforeEach(async () => {
    place = await openTestDatabase(driver)
    folder = mkdtempSync(join(tmpdir(), 'sluice-candles-'))
    csv = openCsvCandles({ dir: folder, clock: systemClock })
    sql = openSqlCandles({ database: place.database, clock: systemClock })
    engine = openRealEngine(place.database)
  })
  afterEach(async () => {
    await csv.close()
    rmSync(folder, { recursive: true })
    await place.close()
  })

  const DAY = 86_400_000
  const bars = (ticker: string, count: number, from = 0): Bar[] =>
    Array.from({ length: count }, (_, i) => {
      const close = 10 + ((i + from) % 7) / 3
      const price = { open: close, high: close + 1 / 3, low: close - 1, close, volume: 100 + i }
      return { source: 'vn', ticker, interval: '1D', time: (i + from) * DAY, ...price }
    })
  const stores = (drained = async () => {}) =>
    candleStores({ database: place.database, clock: systemClock, legacy: csv, current: sql, drained })
  const differences = async () => {
    const found: Difference[] = []
    const run = await engine.compare(stores(), { onDifference: (one) => found.push(one) })
    expect(run.different).toBe(found.length)
    return { found, compared: run.compared }
  }

  it('are the same with all their columns once they are copied', async () => {
    await csv.write([...bars('VIC', 260), ...bars('BTC/USDT', 30)])
    await engine.advance('candles', { reason: 'begin' })
    expect(await engine.copy(stores())).toMatchObject({ to: 'current', parts: 2, records: 290 })
    expect(await differences()).toEqual({ found: [], compared: 290 })
    const told = await place.database.read(({ sql: query, t }) => query.select().from(t.outbox))
    // Each with the answers that it drops.
    const pair = ['candles.changed', CACHE_DROPS]
    expect(told.map(({ target }) => target)).toEqual([...pair, ...pair])
    // The files get a growing bar up to a minute later.
    await sql.write([{ ...bars('VIC', 1)[0]!, time: bucketOf('1D', systemClock.now()) }])
    expect((await differences()).found).toEqual([])
  })

  it('show a price that was changed in a file, and bars that one store lacks at either end', async () => {
    await csv.write(bars('VIC', 30, 10))
    await sql.write([...bars('VIC', 10), ...bars('VIC', 30, 10), ...bars('VIC', 5, 40)])
    const [early, late] = [bars('VIC', 3, -5), bars('VIC', 2, 60)]
    await csv.write([...early, ...late])
    const { found } = await differences()
    const lacking = (side: 'legacy' | 'current') =>
      found.filter((one) => one[side] === null).map(({ key }) => key)
    expect(lacking('legacy').length).toBe(15)
    expect(lacking('current').map((key) => key.slice(10))).toEqual(
      [...early, ...late].map(({ time }) => new Date(time).toISOString()),
    )
  })

  it('show one digit that somebody has changed in a file', async () => {
    await csv.write(bars('VIC', 12))
    await sql.write(bars('VIC', 12))
    const path = join(folder, 'vn/VIC/1D.csv')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/(1970-01-05.*),104,/, '$1,105,'))
    const { found } = await differences()
    expect(found).toEqual([
      {
        key: 'vn VIC 1D 1970-01-05T00:00:00.000Z',
        legacy: expect.stringContaining(',105,'),
        current: expect.stringContaining(',104,'),
      },
    ])
  })

  it('in the database are newer than in the files: a copy adds what is missing and replaces nothing', async () => {
    await csv.write(bars('VIC', 20))
    const corrected = { ...bars('VIC', 1, 5)[0]!, close: 12.5 }
    await sql.write([corrected])
    await engine.advance('candles', { reason: 'begin' })
    await engine.copy(stores())
    const kept = await sql.range({ source: 'vn', ticker: 'VIC', interval: '1D' })
    expect(kept.map(({ close }) => close)).toEqual(
      bars('VIC', 20).map((bar, i) => (i === 5 ? 12.5 : bar.close)),
    )
    expect((await differences()).found.length).toBeGreaterThan(0)
    // What the projector would have done by now.
    await csv.write([corrected])
    expect((await differences()).found).toEqual([])
  })

  it('that were deleted do not come back from files that have not heard of it yet', async () => {
    await csv.write([...bars('VIC', 20), ...bars('VCB', 5)])
    await sql.write(bars('VCB', 5))
    await engine.advance('candles', { reason: 'begin' })
    const drained = async () => void (await csv.purge('vn', 'VIC', ['1D']))
    expect(await engine.copy(stores(drained))).toMatchObject({ to: 'current', parts: 1, records: 5 })
    expect((await sql.keys()).map(({ ticker }) => ticker)).toEqual(['VCB'])
  })

  it('come back into the files after the way back from done, corrections as well', async () => {
    await csv.write(bars('VIC', 20))
    const step = (reason: string) => engine.advance('candles', { reason })
    await step('dual')
    await engine.copy(stores())
    for (const phase of ['shadow', 'primary', 'done']) {
      await engine.compare(stores())
      await step(phase)
    }
    await sql.write([{ ...bars('VIC', 1, 5)[0]!, close: 12.5 }, ...bars('VIC', 5, 20)])
    await engine.rollback('candles', { reason: 'back' })
    expect(await engine.copy(stores())).toMatchObject({ to: 'legacy', records: 25 })
    expect(await differences()).toEqual({ found: [], compared: 25 })
    expect((await engine.rollback('candles', { reason: 'files answer' })).phase).toBe('shadow')
  })
})
