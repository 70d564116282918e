// Funding in the database: each statement once, corrections in place of what they correct, nothing older over newer.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FundingEvent, fundingDrops } from '../../src/catalog/index.ts'
import { bookFunding } from '../../src/funding/book-funding.ts'
import { contextsOf, fundingHistoryOf, latestFundingOf } from '../../src/funding/index.ts'
import { writeRates } from '../../src/funding/store-rates.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { aContext, aRate, aRow, emptyTables, HOUR, SETTLED } from './events.ts'

describe.each(drivers)('funding on %s', (driver) => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase(driver)
  })
  afterAll(() => test.close())
  beforeEach(() => test.database.write(emptyTables))

  const book = async (event: FundingEvent, eventId = JSON.stringify(event).slice(0, 500)) =>
    (await test.database.write((tx) => bookFunding(tx, eventId, event))).result
  const history = (limit = 10, before?: number) =>
    test.database.read((tx) => fundingHistoryOf(tx, { venue: 'alpha', symbol: 'BTC/USDT', limit, before }))

  it('keeps every digit, tells the caches, and knows what it has booked', async () => {
    const rate = aRate({ rate: '-0.000658153991747989', markPrice: '64000.1', intervalHours: 8 })
    expect(await book(rate)).toBe('new')
    expect(await book(rate)).toBe('again')
    expect(await book({ ...rate, time: rate.time + 5 })).toBe('same')
    expect(await history()).toEqual([aRow(rate)])
    const told = await test.database.read(({ sql, t }) => sql.select().from(t.outbox))
    expect(told.map(({ data }) => JSON.parse(data))).toEqual([{ drops: fundingDrops([rate]) }])
  })

  it('takes what arrives last for right, also the first rate again, and tells an estimate from a correction', async () => {
    const at = (minutes: number, rate: string) => aRate({ rate, time: SETTLED + minutes * 60_000 })
    expect(await book(at(-60, '0.0001'))).toBe('new')
    expect(await book(at(-30, '0.0002'))).toBe('revised')
    expect(await book(at(0, '0.0002'))).toBe('completed')
    expect(await book(at(1, '0.0003'))).toBe('corrected')
    const corrected = at(2, '0.0002')
    expect(await book(corrected)).toBe('corrected')
    expect(await book(at(3, '0.0003'))).toBe('corrected')
    // Redelivered behind its own correction.
    expect(await book(corrected)).toBe('again')
    expect(await history()).toMatchObject([{ rate: '0.0003', updatedAt: SETTLED + 180_000 }])
  })

  it('keeps what is known about a settlement when it is said again without', async () => {
    const known = { markPrice: '64000', indexPrice: '63990', intervalHours: 4 }
    await book(aRate({ ...known, time: SETTLED - 5 }))
    expect(await book(aRate({ rate: '0.0004', nextFundingTime: SETTLED + 4 * HOUR }))).toBe('revised')
    expect(await history()).toMatchObject([{ ...known, rate: '0.0004', nextFundingTime: SETTLED + 4 * HOUR }])
  })

  it('keeps the newest context by its own time, in whatever order they come', async () => {
    const newest = aContext({ markPrice: '7', impactPrices: null, time: SETTLED + 9 })
    expect(await book(aContext())).toBe('new')
    expect(await book(newest)).toBe('new')
    expect(await book(newest)).toBe('same')
    expect(await book(aContext({ time: SETTLED + 8 }))).toBe('older')
    const { type: _, time, ...row } = newest
    expect(await test.database.read((tx) => contextsOf(tx))).toEqual([{ ...row, updatedAt: time }])
    expect(await test.database.read((tx) => contextsOf(tx, 'beta'))).toEqual([])
  })

  it('finds the newest of each instrument, and pages of history', async () => {
    expect(await test.database.read((tx) => latestFundingOf(tx))).toEqual([])
    const rows = ['alpha', 'beta', 'Z'].flatMap((venue) =>
      ['BTC/USDT', 'A/B', 'ETH/USDT'].flatMap((symbol, s) =>
        Array.from({ length: 20 }, (_, i) =>
          aRow({ venue, symbol, fundingTime: SETTLED + (i - s) * HOUR, rate: `0.00${i + 1}1` }),
        ),
      ),
    )
    await test.database.write((tx) => writeRates(tx, rows))
    const latest = await test.database.read((tx) => latestFundingOf(tx))
    expect(latest.map((row) => `${row.venue} ${row.symbol} ${row.fundingTime}`)).toEqual(
      ['Z', 'alpha', 'beta'].flatMap((venue) =>
        [1, 0, 2].map((s) => `${venue} ${['BTC/USDT', 'A/B', 'ETH/USDT'][s]} ${SETTLED + (19 - s) * HOUR}`),
      ),
    )
    expect(await test.database.read((tx) => latestFundingOf(tx, 'beta'))).toEqual(
      latest.filter(({ venue }) => venue === 'beta'),
    )
    const page = await history(8)
    expect(page.map(({ fundingTime }) => fundingTime)).toEqual(
      Array.from({ length: 8 }, (_, i) => SETTLED + (19 - i) * HOUR),
    )
    expect(await history(30, page.at(-1)!.fundingTime)).toHaveLength(12)
  })

  it('loses nothing when a file and a feed write the same settlements at once', async () => {
    const rowsOf = (markPrice: string | null, indexPrice: string | null) =>
      Array.from({ length: 300 }, (_, i) => aRow({ markPrice, indexPrice, fundingTime: SETTLED - i * HOUR }))
    const write = (rows: ReturnType<typeof rowsOf>) => test.database.write((tx) => writeRates(tx, rows))
    const written = await Promise.all([write(rowsOf('5', null)), write(rowsOf(null, '6').reverse())])
    expect(written.flat().filter(({ result }) => result === 'new')).toHaveLength(300)
    const rows = await history(1_000)
    expect(rows).toHaveLength(300)
    expect(rows.every((row) => row.markPrice === '5' && row.indexPrice === '6')).toBe(true)
  })
})
