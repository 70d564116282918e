// What may replace a stored bar, and that the change is told in the same transaction.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rebuildCandles } from '../../src/candles/build.ts'
import type { Bar, Interval } from '../../src/candles/candle.ts'
import { type KeepOptions, keepBars, lockBars } from '../../src/candles/keep-bars.ts'
import { mendPartial } from '../../src/candles/keep-partial.ts'
import { openSqlCandles } from '../../src/candles/sql-candles.ts'
import type { CandleChange } from '../../src/catalog/index.ts'
import { openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

const MINUTE = 60_000
const KEY = { source: 'alpha', ticker: 'A/X', interval: '1m' } as const
const aBar = (time: number, close: number, volume: number, interval: Interval = '1m'): Bar => ({
  ...{ source: 'alpha', ticker: 'A/X', interval, time, open: 1, high: 100, low: 1, close, volume },
})

describe.each(drivers)('keeping bars on %s', (driver) => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase(driver)
  })
  afterAll(() => test.close())
  beforeEach(() =>
    test.database.write(async ({ sql, t }) => {
      await sql.delete(t.candles)
      await sql.delete(t.outbox)
    }),
  )

  const options: KeepOptions = { driver, origin: 'ticks', replaces: 'more ticks', cause: 'one', at: 1 }
  const keep = (bars: readonly Bar[], more: Partial<KeepOptions> = {}) =>
    test.database.write(async (tx) => {
      await lockBars(tx, driver, bars)
      return keepBars(tx, bars, { ...options, ...more })
    })
  const stored = async (interval: Interval = '1m') => {
    const store = openSqlCandles({ database: test.database, clock: systemClock })
    const bars = await store.range({ ...KEY, interval })
    return bars.map(({ time, close, volume }) => [time, close, volume])
  }
  const told = () =>
    test.database.read(async ({ sql, t }) => {
      const rows = await sql.select().from(t.outbox).orderBy(t.outbox.id)
      const events = rows.filter(({ kind }) => kind === 'event')
      return events.map(({ data }) => JSON.parse(data) as CandleChange)
    })

  it('replaces a bar only by one of more ticks, in whatever order and however often they come', async () => {
    expect(await keep([aBar(0, 12, 3)])).toEqual({ stored: 1, changed: 0, unchanged: 0, older: 0 })
    expect(await keep([aBar(0, 11, 2), aBar(0, 12, 3)], { cause: 'again' })).toMatchObject({ older: 2 })
    expect(await stored()).toEqual([[0, 12, 3]])
    expect(await keep([aBar(0, 15, 5), aBar(0, 14, 4)], { cause: 'later' })).toMatchObject({
      changed: 1,
      older: 1,
    })
    expect(await stored()).toEqual([[0, 15, 5]])
    expect(await told()).toHaveLength(2)
  })

  it('replaces it by fewer ticks where what comes is right, as a rebuild is', async () => {
    await keep([aBar(0, 12, 3)])
    expect(await keep([aBar(0, 11, 2)], { replaces: 'always', cause: 'two' })).toMatchObject({ changed: 1 })
    expect(await stored()).toEqual([[0, 11, 2]])
  })

  it('does not replace what a rebuild has made, also when its columns were computed again, until another rebuild', async () => {
    await keep([aBar(0, 12, 5), aBar(MINUTE, 12, 5)])
    async function* ticks() {
      for (const time of [0, 1_000, 2_000]) yield { time, nanos: 0, bid: 10, ask: 10 }
    }
    const { database: db } = test
    const range = { source: 'alpha', ticker: 'A/X', from: 0, to: 1, intervals: ['1m'], ticks } as const
    const rebuild = (run: string) => rebuildCandles({ db, clock: systemClock, ...range, run })
    expect(await rebuild('one')).toMatchObject({ changed: 1 })
    expect(await keep([aBar(0, 12, 5), aBar(0, 12, 6)], { cause: 'again' })).toMatchObject({ older: 2 })
    // The bar before it changes its columns, and its row is written anew.
    await keep([aBar(-MINUTE, 9, 5)], { cause: 'before' })
    expect(await keep([aBar(0, 12, 6), aBar(MINUTE, 13, 6)], { cause: 'later' })).toMatchObject({
      changed: 1,
      older: 1,
    })
    expect(await stored()).toEqual([
      [-MINUTE, 9, 5],
      [0, 10, 3],
      [MINUTE, 13, 6],
    ])
    expect(await rebuild('two')).toMatchObject({ changed: 0, unchanged: 1 })
  })

  it('is left by a rebuild of no more ticks while it grows or has just ended, and which of them is said', async () => {
    const at = Date.UTC(2026, 0, 5, 10, 7, 30)
    const clock = { ...systemClock, now: () => at }
    const minutes = [5, 6, 7].map((minute) => Date.UTC(2026, 0, 5, 10, minute))
    await keep([...minutes.map((time) => aBar(time, 12, 2)), aBar(minutes[0]!, 12, 6, '5m')])
    async function* ticks() {
      for (const time of minutes) yield { time, nanos: 0, bid: 10, ask: 10 }
    }
    const range = { source: 'alpha', ticker: 'A/X', from: minutes[0]!, to: at, ticks, run: 'one' }
    const rebuilt = await rebuildCandles({
      ...{ db: test.database, clock, ...range, intervals: ['1m', '5m', '1h'] },
    })
    expect(rebuilt).toEqual({
      ...{ ticks: 3, bars: 5, stored: 1, changed: 0, unchanged: 0 },
      // 10:07 and the five minutes; 10:05 and 10:06.
      ...{ growing: 2, ending: 2 },
    })
  })

  it('tells what has changed once for a ticker, and nothing where nothing has', async () => {
    const bars = [
      aBar(0, 1, 1),
      aBar(2 * MINUTE, 1, 1),
      aBar(0, 1, 1, '1h'),
      { ...aBar(0, 1, 1), ticker: 'B/X' },
    ]
    await keep(bars)
    await keep(bars, { cause: 'again' })
    await keep(bars, { cause: 'always', replaces: 'always' })
    const place = { source: 'alpha', kind: 'written', origin: 'ticks' }
    expect(await told()).toEqual([
      {
        ...{ ...place, ticker: 'A/X' },
        ranges: [
          { interval: '1h', from: 0, to: 0 },
          { interval: '1m', from: 0, to: 2 * MINUTE },
        ],
      },
      { ...place, ticker: 'B/X', ranges: [{ interval: '1m', from: 0, to: 0 }] },
    ])
  })

  it('tells nothing of what is not committed', async () => {
    const failing = test.database.write(async (tx) => {
      await keepBars(tx, [aBar(0, 1, 1)], options)
      throw new Error('the disk is gone')
    })
    await expect(failing).rejects.toThrow('the disk is gone')
    expect(await told()).toEqual([])
    expect(await stored()).toEqual([])
  })

  it('lets writers of the same series in other orders wait for each other, and never starts one of them anew', async () => {
    const bars = ['A/X', 'B/X', 'C/X'].flatMap((ticker) =>
      (['1m', '1h', '1D'] as const).map((interval) => ({ ...aBar(0, 1, 1, interval), ticker })),
    )
    // Of its own connections, as another process.
    const other = openDatabase(test.options)
    const imports = openSqlCandles({ database: other, clock: systemClock })
    let begun = 0
    const rounds = [1, 2, 3, 4, 5]
    const versions = (volume: number) => bars.map((bar) => ({ ...bar, volume }))
    await Promise.all(
      rounds.flatMap((round) => [
        test.database.write(async (tx) => {
          begun += 1
          await lockBars(tx, driver, bars)
          await keepBars(tx, versions(round).slice(4), { ...options, cause: `${round}` })
          return keepBars(tx, versions(round).slice(0, 4), { ...options, cause: `${round}` })
        }),
        imports.write(versions(round).reverse()),
        imports.purge('alpha', 'B/X', ['1m', '1D', '1h']),
      ]),
    )
    await other.close()
    // A dead-lock is solved by running one of its transactions once more.
    expect(begun).toBe(rounds.length)
  })

  it('makes a bar that was heard in part of the stored minutes, as long as they have more ticks', async () => {
    const minutes = [0, 1, 2].map((n) => ({
      ...aBar(n * MINUTE, 10 + n, 4),
      open: 10 + n,
      high: 20 + n,
      low: 5 - n,
    }))
    await keep(minutes)
    const heard = { interval: '1h', time: 0, open: 12, high: 22, low: 3, close: 12 } as const
    const mend = (volume: number) =>
      test.database.read((tx) => mendPartial(tx, KEY, [{ ...heard, volume, state: 'open', whole: false }]))
    expect(await mend(4)).toEqual([
      { ...KEY, interval: '1h', time: 0, open: 10, high: 22, low: 3, close: 12, volume: 12 },
    ])
    expect(await mend(13)).toEqual([{ ...KEY, ...heard, volume: 13 }])
  })
})
