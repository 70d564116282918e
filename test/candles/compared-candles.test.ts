// While a cut-over is under way, candles are answered by the store of the phase, and what it says is compared with the
// other one as far as it stands still.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Views } from '../../src/cache/index.ts'
import { bucketOf } from '../../src/candles/bucket.ts'
import type { Bar, Candle } from '../../src/candles/candle.ts'
import { sameCandles } from '../../src/candles/compared-candles.ts'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { candleStores } from '../../src/candles/cutover-candles.ts'
import { settledBars } from '../../src/candles/hold-growing.ts'
import { openSqlCandles } from '../../src/candles/sql-candles.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openCandleReads } from '../../src/sources.ts'
import { openRealEngine } from '../cutover/rig.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { aBar, barsFrom, candlesOf, MINUTE, START } from './store-bars.ts'

const clock = systemClock
const DAY = 86_400_000
const KEY = { source: 'vn', ticker: 'VIC', interval: '1D' } as const
const LIMIT = { ...KEY, limit: 20 }
/** Its candles are exact in few digits, so a price can be found in a file. */
const day = (i: number, more: Partial<Bar> = {}): Bar => ({
  ...{ ...KEY, time: START + i * DAY, open: 60, high: 70, low: 50, close: 60 + i / 8, volume: 100 },
  ...more,
})
/** Loads each time: nothing is kept while nobody is heard. */
const noMemory: Pick<Views, 'get'> = {
  get: (_view, _key, load) => load(new AbortController().signal),
}

let place: TestDatabase
let folder: string
let engine: ReturnType<typeof openRealEngine>
let seen: string[]
beforeEach(async () => {
  place = await openTestDatabase('sqlite')
  folder = mkdtempSync(join(tmpdir(), 'sluice-candles-'))
  engine = openRealEngine(place.database)
  seen = []
  engine.events.on('compared', ({ result }) => seen.push(result))
})
afterEach(async () => {
  await engine.close()
  await place.close()
  rmSync(folder, { recursive: true })
})

const csv = () => openCsvCandles({ dir: join(folder, 'candles'), clock })
const sql = (at = clock) => openSqlCandles({ database: place.database, clock: at })
/** Long enough that the files have followed. */
const before = { ...clock, now: () => clock.now() - 10_000 }
async function fill(bars: readonly Bar[]) {
  const files = csv()
  await files.write(bars)
  await files.close()
  await sql(before).write(bars)
}
/** Both hold the same days; the feature is where it is wanted. */
async function begin(phase: 'legacy' | 'dual' | 'shadow' | 'primary' | 'done') {
  await fill(Array.from({ length: 30 }, (_, i) => day(i)))
  const stores = candleStores({ database: place.database, clock, legacy: csv(), current: sql() })
  await engine.ready()
  for (let at = engine.phase('candles'); at !== phase; at = engine.phase('candles')) {
    if (at === 'dual') await engine.copy(stores)
    if (at !== 'legacy') await engine.compare(stores)
    await engine.advance('candles', { reason: 'on' })
  }
}
const open = (views = noMemory, fallback: 'true' | 'false' = 'true') =>
  openCandleReads({
    config: {
      ...{ CANDLES_BACKEND: 'dual', DATA_DIR: folder, MARKET_HOLIDAYS: '' },
      FALLBACK_TO_CSV: fallback,
    },
    ...{ database: place.database, clock, views, cutover: () => engine },
  })
/** 63.625, the close of the newest day, is 99.9 in the file. */
function plant() {
  const path = join(folder, 'candles/vn/VIC/1D.csv')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/,63\.625,100,/, ',99.9,100,'))
}
const newest = async (reads: ReturnType<typeof open>) => (await reads.candles().range(LIMIT)).at(-1)!.close
const steppedBack = () =>
  new Promise((resolve) => {
    engine.events.on('steppedBack', resolve)
  })

describe('a close that was changed in a file', () => {
  const reason = 'a read differed: candles vn VIC 1D newest 20'

  it('is found by a read in shadow, which the file answers: back to dual, and written down', async () => {
    await begin('shadow')
    plant()
    const back = steppedBack()
    expect(await newest(open())).toBe(99.9)
    expect(await back).toMatchObject({ from: 'shadow', to: 'dual', reason })
    const rows = await place.database.read(({ sql: query, t }) => query.select().from(t.parityDifferences))
    expect(rows).toMatchObject([
      {
        key: 'candles vn VIC 1D newest 20',
        legacy: expect.stringMatching(/^VIC,2024-01-30,60,70,50,99\.9,/),
        current: expect.stringMatching(/^VIC,2024-01-30,60,70,50,63\.625,/),
      },
    ])
  })

  it('is found by a read in primary, which the database answers: back to shadow', async () => {
    await begin('primary')
    plant()
    const back = steppedBack()
    expect(await newest(open())).toBe(63.625)
    expect(await back).toMatchObject({ from: 'primary', to: 'shadow', reason })
  })
})

describe('candles', () => {
  it('come from the store of the phase, which names itself, and are compared in shadow and primary', async () => {
    for (const [phase, name, compared] of [
      ['legacy', 'csv', 0],
      ['dual', 'csv', 0],
      ['shadow', 'csv', 1],
      ['primary', 'sql', 2],
      ['done', 'sql', 2],
    ] as const) {
      await begin(phase)
      const reads = open()
      expect([phase, reads.candles().name]).toEqual([phase, name])
      expect(await newest(reads)).toBe(63.625)
      expect(reads.files()?.name).toBe(phase === 'done' ? undefined : 'csv')
      await eventually(() => seen.length === compared)
    }
    expect(seen).toEqual(['equal', 'equal'])
    expect(open(noMemory, 'false').files()).toBeUndefined()
  })

  it('that grow or have just ended are no difference, also where they have moved the window', async () => {
    await begin('shadow')
    const now = clock.now()
    const growing = day(0, { time: bucketOf('1D', now) })
    const minutes = Array.from({ length: 10 }, (_, i) =>
      day(i, { interval: '1m', time: bucketOf('1m', now) - (9 - i) * MINUTE }),
    )
    // The file has of the last minutes what was settled, and of the day an older version.
    await fill([...minutes.slice(0, 8), { ...growing, close: 61 }])
    await sql(before).write([...minutes.slice(8), growing])
    const reads = open()
    const limits = [1, 2, 5, 20, 40]
    for (const interval of ['1D', '1m'] as const)
      for (const limit of limits) {
        const compared = seen.length
        await reads.candles().range({ ...KEY, interval, limit })
        await eventually(() => seen.length > compared)
      }
    expect(new Set(seen)).toEqual(new Set(['equal']))
    expect(engine.phase('candles')).toBe('shadow')
  })

  it('that the database was told a moment ago are no difference: the files follow it', async () => {
    await begin('primary')
    // The columns behind it change as well; one more day moves the window.
    const told = [day(15, { close: 61 }), day(30)]
    await sql().write(told)
    await open().candles().range(LIMIT)
    await eventually(() => seen.length === 1)
    expect(seen).toEqual(['late'])
    await sql(before).write([day(15, { close: 62 })])
    const back = steppedBack()
    await open().candles().range(LIMIT)
    expect(await back).toMatchObject({ to: 'shadow' })
  })

  it('of a request that began before the phase changed are all of the store that it began with', async () => {
    await begin('primary')
    plant()
    const store = open().candles()
    await engine.rollback('candles', { reason: 'meanwhile' })
    expect(engine.reads('candles')).toBe('legacy')
    // What memory keeps is the database's, because a change there is what drops it.
    expect((await store.range(LIMIT)).at(-1)!.close).toBe(63.625)
    expect(await newest(open())).toBe(99.9)
  })

  it('out of the memory are compared when they are loaded, and not again', async () => {
    await begin('primary')
    const kept = new Map<string, Promise<unknown>>()
    const memory: Pick<Views, 'get'> = {
      get<V>(_view: unknown, key: readonly unknown[], load: (signal: AbortSignal) => Promise<V>) {
        const known = kept.get(key.join()) ?? noMemory.get(_view as never, key as never, load)
        kept.set(key.join(), known)
        return known as Promise<V>
      },
    }
    const reads = open(memory)
    for (let i = 0; i < 20; i++) expect(await newest(reads)).toBe(63.625)
    await reads.candles().range({ ...LIMIT, limit: 21 })
    await eventually(() => seen.length === 2)
    // Begun in order, so a third one would have been counted with the next.
    await reads.candles().range({ ...LIMIT, limit: 22 })
    await eventually(() => seen.length > 2)
    expect(seen).toEqual(['equal', 'equal', 'equal'])
  })
})

describe('two answers', () => {
  const now = START + 1_000 * MINUTE
  const all = candlesOf(barsFrom(0, 100))
  const same = (one: readonly Candle[], other: readonly Candle[], limit?: number) =>
    sameCandles(one, other, limit, (candles) => settledBars(candles, now))

  it('differ by the last bit of a price or of a column', () => {
    expect(
      same(
        all,
        all.map((candle) => ({ ...candle })),
      ),
    ).toBe(true)
    for (const name of ['open', 'close', 'volume', 'ma20', 'totalMoneyChanged'] as const) {
      const other = all.with(50, { ...all[50]!, [name]: all[50]![name]! * (1 + 2 * Number.EPSILON) + 5e-324 })
      expect([name, same(all, other)]).toEqual([name, false])
    }
  })

  it('differ where one lacks a bar: at its beginning, in the middle, at its end, or all of them', () => {
    for (const limit of [undefined, 100, 200]) {
      for (const i of [0, 50, 99]) expect(same(all, all.toSpliced(i, 1), limit)).toBe(false)
      expect(same(all, [], limit)).toBe(false)
    }
    // Full ones: what one lacks has moved its window.
    expect(same(all.slice(-10), all.toSpliced(95, 1).slice(-10), 10)).toBe(false)
  })

  it('are the same where a growing bar of one has moved its window', () => {
    const growing = { ...all[0]!, ...aBar(999) }
    expect(same([...all, growing].slice(-10), all.slice(-10), 10)).toBe(true)
    expect(same([...all, growing], all)).toBe(true)
    expect(same([growing], all.slice(-1), 1)).toBe(true)
    expect(same([], [growing])).toBe(true)
  })
})
