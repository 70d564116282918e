// From quotes on the stream to candles in the database and in files, with processes that are stopped, killed and told
// everything twice.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OpenBus, openBus } from '../../src/bus/index.ts'
import { rebuildCandles } from '../../src/candles/build.ts'
import type { CandleStore } from '../../src/candles/candle.ts'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { TICK_INTERVALS } from '../../src/candles/fold-bars.ts'
import { openSqlCandles } from '../../src/candles/sql-candles.ts'
import { marketCandles, marketQuotes } from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { barsIn, type CandleProcess, hear, hearNothing, openFiles, startCandles } from './rig.ts'
import { barsByDefinition, type PlainBar, type TestTick } from './ticks.ts'

const T = Date.UTC(2026, 0, 5, 10)
const HOUR = 3_600_000
const DAY = 24 * HOUR
let redis: TestRedis
let bus: OpenBus

beforeAll(async () => {
  redis = await startRedis()
  bus = openBus({ url: redis.url, clock: systemClock })
})
afterAll(async () => {
  await bus.close()
  await redis.stop()
})

/** A tick every few seconds, some late, over two hours and past midnight. */
const ticksOf = (symbol: string, count: number, from = T + 13 * HOUR): TestTick[] =>
  Array.from({ length: count }, (_, i) => {
    const heardAt = from + i * 7_200
    return { symbol, heardAt, time: heardAt - (i % 7 === 3 ? 50_000 : 0), mid: 100 + ((i * 37) % 23) }
  })

describe.each(drivers)('candles on %s', (driver) => {
  let test: TestDatabase
  let files: ReturnType<typeof openFiles>
  let sql: CandleStore
  let csv: CandleStore
  const running: CandleProcess[] = []
  const start = (phase?: { writesFiles: boolean }) => {
    const one = startCandles(redis.url, test, files.dir, phase)
    running.push(one)
    return one
  }
  beforeEach(async () => {
    test = await openTestDatabase(driver)
    files = openFiles()
    sql = openSqlCandles({ database: test.database, clock: systemClock })
    csv = openCsvCandles({ dir: files.dir, clock: systemClock })
  })
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop()
    await test.close()
    files.remove()
  })

  const expectBars = (store: CandleStore, ticks: readonly TestTick[], what: string) => {
    const symbol = ticks[0]!.symbol!
    const expected = barsByDefinition(ticks)
    const day = (bars: Map<string, PlainBar>) =>
      [...bars.values()].filter(({ interval }) => interval === '1D')
    return eventually(
      async () => {
        // The days are small, and change last.
        expect(day(await barsIn(store, symbol, ['1D']))).toEqual(day(expected))
        expect(await barsIn(store, symbol, TICK_INTERVALS)).toEqual(expected)
        return true
      },
      { what },
    )
  }

  it('are those that the ticks make, in the database and in the files', async () => {
    start()
    const ticks = ticksOf(`A${driver}/X`.toUpperCase(), 400)
    await hear(bus, ticks)
    await hearNothing(bus, ticks[0]!.symbol!, T + 10 * DAY)
    await expectBars(sql, ticks, 'the bars in the database')
    await expectBars(csv, ticks, 'the bars in the files')
  })

  it('of weeks and months follow the days, also when one of the past is corrected', async () => {
    start()
    const symbol = `E${driver}/X`.toUpperCase()
    const days = [0, 1, 2, 8, 30].map((day) => ({ symbol, time: T + day * DAY, mid: 100 + day }))
    await hear(bus, days)
    await hearNothing(bus, symbol, T + 40 * DAY)
    const closes = async (interval: '1W' | '2W' | '1M') =>
      (await sql.range({ source: 'alpha', ticker: symbol, interval })).map(({ open, close, volume }) => [
        open,
        close,
        volume,
      ])
    await eventually(async () => {
      expect(await closes('1W')).toEqual([
        [100, 102, 3],
        [108, 108, 1],
        [130, 130, 1],
      ])
      expect(await closes('2W')).toEqual([
        [100, 108, 4],
        [130, 130, 1],
      ])
      expect(await closes('1M')).toEqual([
        [100, 108, 4],
        [130, 130, 1],
      ])
      return true
    })
    async function* stored() {
      for (const mid of [90, 95]) yield { time: T, nanos: 0, bid: mid - 0.5, ask: mid + 0.5 }
    }
    const range = { source: 'alpha', ticker: symbol, from: T, to: T + 1 }
    await rebuildCandles({ db: test.database, clock: systemClock, ...range, ticks: stored, run: 'one' })
    await eventually(async () => {
      expect((await closes('1W'))[0]).toEqual([90, 102, 4])
      expect((await closes('1M'))[0]).toEqual([90, 108, 5])
      return true
    })
  })

  // Nothing below depends on the database: keep-bars.test.ts asks both for what does.
  if (driver === 'postgres') return

  it('are the same when processes are killed in the middle and others take over', async () => {
    const ticks = ticksOf(`B${driver}/X`.toUpperCase(), 450)
    const first = start()
    await hear(bus, ticks.slice(0, 150))
    await eventually(() => first.said.kept.length > 0, { what: 'something is kept' })
    await running.shift()!.kill()
    await hear(bus, ticks.slice(150, 300))
    start()
    start()
    await hear(bus, ticks.slice(300))
    await hearNothing(bus, ticks[0]!.symbol!, T + 10 * DAY)
    await expectBars(sql, ticks, 'the bars in the database')
  })

  it('do not go back when everything is delivered once more', async () => {
    const one = start()
    const ticks = ticksOf(`C${driver}/X`.toUpperCase(), 200)
    await hear(bus, ticks)
    await hearNothing(bus, ticks[0]!.symbol!, T + 10 * DAY)
    await expectBars(sql, ticks, 'the bars in the database')
    const older = () => one.said.kept.reduce((sum, { older }) => sum + older, 0)
    const before = older()
    await bus.seekGroup(marketCandles, 'keeper', 'start')
    await eventually(async () => {
      const { partitions } = await bus.status(marketCandles)
      const lag = partitions.flatMap(({ groups }) => groups).reduce((sum, { lag }) => sum + lag, 0)
      return lag === 0 && older() > before
    })
    expect(await barsIn(sql, ticks[0]!.symbol!, TICK_INTERVALS)).toEqual(barsByDefinition(ticks))
  })

  it('are whole although the fold began anew in the middle of a bar: stored minutes make the rest', async () => {
    start()
    const symbol = `D${driver}/X`.toUpperCase()
    const ticks = ticksOf(symbol, 200, T).map((tick) => ({ ...tick, time: tick.heardAt! }))
    await hear(bus, ticks.slice(0, 100))
    await hearNothing(bus, symbol, ticks[100]!.time)
    const minutes = barsByDefinition(ticks.slice(0, 100))
    await eventually(
      async () =>
        (await barsIn(sql, symbol, ['1m'])).size ===
        [...minutes.values()].filter(({ interval }) => interval === '1m').length,
    )
    // From here on it has heard nothing of what was before.
    await bus.seekGroup(marketQuotes, 'candles', 'end')
    await hear(bus, ticks.slice(100))
    await hearNothing(bus, symbol, T + 10 * DAY)
    const expected = barsByDefinition(ticks)
    await eventually(async () => {
      const stored = await barsIn(sql, symbol, ['5m', '15m', '30m', '1h', '4h', '1D'])
      const day = `1D ${T - 10 * HOUR}`
      expect(stored.get(day)).toEqual(expected.get(day))
      return true
    })
  })

  it('say which ticks came too late, and a rebuild from the stored ticks brings them in', async () => {
    const one = start()
    const symbol = `F${driver}/X`.toUpperCase()
    const ticks = ticksOf(symbol, 300, T)
    const late = { symbol, time: T + 1, mid: 999, heardAt: ticks.at(-1)!.time }
    await hear(bus, [...ticks, late])
    await hearNothing(bus, symbol, T + 10 * DAY)
    await eventually(() => one.said.late.length === 1)
    expect(one.said.late[0]).toEqual({ source: 'alpha', ticker: symbol, ticks: 1, from: T + 1, to: T + 1 })
    const all = [...ticks, late].toSorted((a, b) => a.time - b.time)
    async function* stored(from: number, to: number) {
      for (const { time, mid } of all.filter((tick) => tick.time >= from && tick.time < to)) {
        yield { time, nanos: 0, bid: mid - 0.5, ask: mid + 0.5 }
      }
    }
    const range = { source: 'alpha', ticker: symbol, from: T, to: T + HOUR }
    const rebuilt = await rebuildCandles({
      db: test.database,
      clock: systemClock,
      ...range,
      ticks: stored,
      run: 'two',
    })
    expect(rebuilt).toMatchObject({ ticks: 301, growing: 0, ending: 0 })
    expect(rebuilt.changed).toBeGreaterThan(0)
    await expectBars(sql, all, 'the rebuilt bars in the database')
    await expectBars(csv, all, 'the rebuilt bars in the files')
    const again = await rebuildCandles({
      db: test.database,
      clock: systemClock,
      ...range,
      ticks: stored,
      run: 'three',
    })
    expect(again).toMatchObject({ stored: 0, changed: 0, unchanged: rebuilt.bars })
  })
})

describe('files of candles', () => {
  it('are left alone in the phases that do not write them', async () => {
    const test = await openTestDatabase('sqlite')
    const files = openFiles()
    const one = startCandles(redis.url, test, files.dir, { writesFiles: false })
    const ticks = ticksOf('G/X', 20)
    await hear(bus, ticks)
    await hearNothing(bus, 'G/X', T + 10 * DAY)
    const sql = openSqlCandles({ database: test.database, clock: systemClock })
    await eventually(async () => (await sql.keys('alpha')).length > 7)
    await one.stop()
    expect(one.said.projected).toEqual([])
    expect(await openCsvCandles({ dir: files.dir, clock: systemClock }).keys()).toEqual([])
    await test.close()
    files.remove()
  })
})
