import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bar } from '../../src/candles/candle.ts'
import { type CsvCandles, openCsvCandles } from '../../src/candles/csv-candles.ts'
import { openSqlCandles, type SqlCandles } from '../../src/candles/sql-candles.ts'
import { answerTickers, type TickersOptions } from '../../src/candles/tickers.ts'
import type { TickersQuery } from '../../src/candles/tickers-query.ts'
import { openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { recording } from '../support/recordings.ts'
import { readEnhanced } from './enhanced-file.ts'

const clock = systemClock
const DAY = 86_400_000
const MONDAY = Date.UTC(2024, 0, 1)
const aDay = (i: number, more: Partial<Bar> = {}): Bar => ({
  ...{ source: 'vn', ticker: 'AAA', interval: '1D', time: MONDAY + i * DAY },
  ...{ open: 10_000 + i, high: 10_100 + i, low: 9_900 + i, close: 10_050.005 + i, volume: 1_000 + i },
  ...more,
})
const days = (count: number, more: Partial<Bar> = {}) =>
  Array.from({ length: count }, (_, i) => aDay(i, more))

type Row = Record<string, number | string>

let place: TestDatabase
let sql: SqlCandles
let csv: CsvCandles
const dir = mkdtempSync(join(tmpdir(), 'sluice-tickers-'))
const maxAgeSeconds = () => 30
beforeAll(async () => {
  place = await openTestDatabase('sqlite')
  sql = openSqlCandles({ database: place.database, clock })
  csv = openCsvCandles({ dir, clock })
  await sql.write([
    ...[...days(300), ...days(2, { ticker: 'VNINDEX' }), ...days(3, { source: 'crypto', ticker: 'BTC' })],
    ...days(3, { ticker: 'HOUR', interval: '1h', time: MONDAY + 3_600_000 }).slice(0, 1),
  ])
  await csv.write(days(300))
})
afterAll(async () => {
  await csv.close()
  await place.close()
  rmSync(dir, { recursive: true, force: true })
})
const ask = (query: TickersQuery, more: Partial<TickersOptions> = {}) =>
  answerTickers(query, { sql, maxAgeSeconds, ...more })
const rowsOf = async (query: TickersQuery, more: Partial<TickersOptions> = {}) =>
  JSON.parse((await ask(query, more)).body) as Record<string, Row[]>

describe('GET /tickers', () => {
  it.skipIf(!recording('candles/enhanced'))(
    'answers the rows of the reference, number for number',
    async () => {
      for (const interval of ['1D', '1h'] as const) {
        const path = join(recording('candles/enhanced')!, `VIC-${interval}.csv`)
        const { rows } = readEnhanced(path, interval)
        await sql.write(rows.map(({ bar }) => ({ ...bar, source: 'recorded' })))
        const query = { symbol: 'VIC', source: 'recorded', interval, limit: '10000' }
        const body = (await ask({ ...query, format: 'csv' })).body.trim().split('\n')
        const numbersOf = (line: string) =>
          line.split(',').map((field, i) => (i < 2 || field === '' ? field : Number(field) + 0))
        const printed = readFileSync(path, 'utf8')
          .split('\n')
          .slice(1, rows.length + 1)
        expect(body.slice(1).map(numbersOf)).toEqual(printed.map(numbersOf))
        const header = body[0]!.split(',')
        const { VIC } = await rowsOf(query)
        expect(VIC!.map((row) => header.map((name) => row[name] ?? ''))).toEqual(body.slice(1).map(numbersOf))
      }
    },
  )

  it('answers a map of tickers to rows of 20 fields, without those that are not there', async () => {
    const { contentType, headers, body } = await ask({ symbol: ['VNINDEX', 'AAA', 'AAA'], limit: '1' })
    expect(contentType).toBe('application/json; charset=utf-8')
    expect(headers).toEqual({ 'cache-control': 'max-age=30', 'x-candle-store': 'sql' })
    const answer = JSON.parse(body) as Record<string, Row[]>
    expect(Object.keys(answer)).toEqual(['AAA', 'VNINDEX'])
    expect(Object.keys(answer['AAA']![0]!)).toHaveLength(20)
    expect(answer['AAA']![0]).toMatchObject({
      time: '2024-10-26',
      open: 10_299,
      symbol: 'AAA',
      volume: 1_299,
    })
    expect(answer['VNINDEX']).toEqual([
      {
        ...{ time: '2024-01-02', open: 10_001, high: 10_101, low: 9_901, close: 10_051, volume: 1_001 },
        // The close is 10051.005, just below the middle.
        ...{ symbol: 'VNINDEX', close_changed: 0.01, volume_changed: 0.1, total_money_changed: 1_001 },
      },
    ])
  })

  it('answers CSV under the same names', async () => {
    const { contentType, headers, body } = await ask({ symbol: 'VNINDEX', format: 'csv' })
    expect(contentType).toBe('text/csv; charset=utf-8')
    expect(headers['content-disposition']).toBe('attachment; filename="tickers_1D.csv"')
    expect(body.split('\n')).toEqual([
      'symbol,time,open,high,low,close,volume,ma10,ma20,ma50,ma100,ma200,ma10_score,ma20_score,ma50_score,ma100_score,ma200_score,close_changed,volume_changed,total_money_changed',
      'VNINDEX,2024-01-01,10000,10100,9900,10050,1000,,,,,,,,,,,,,',
      'VNINDEX,2024-01-02,10001,10101,9901,10051,1001,,,,,,,,,,,0.01,0.1,1001',
      '',
    ])
  })

  it('gives the newest 252 rows, the newest of a limit, and days from the first to the last inclusive', async () => {
    expect((await rowsOf({ symbol: 'AAA' }))['AAA']).toHaveLength(252)
    const between = await rowsOf({ symbol: 'AAA', start_date: '2024-01-03', end_date: '2024-01-05' })
    expect(between['AAA']!.map(({ time }) => time)).toEqual(['2024-01-03', '2024-01-04', '2024-01-05'])
    const newest = await rowsOf({ symbol: 'AAA', end_date: '2024-01-05', limit: '2' })
    expect(newest['AAA']!.map(({ time }) => time)).toEqual(['2024-01-04', '2024-01-05'])
  })

  it('gives old programs thousands and a space, but not for indices and coins', async () => {
    const query = { legacy: 'true', limit: '1' }
    const { AAA, VNINDEX } = await rowsOf({ ...query, symbol: ['AAA', 'VNINDEX'] })
    expect(AAA![0]).toMatchObject({ open: 10.299, close: 10.349, close_changed: 0.0097 })
    expect(VNINDEX![0]).toMatchObject({ open: 10_001 })
    expect((await rowsOf({ ...query, mode: 'crypto' }))['BTC']![0]).toMatchObject({ open: 10_002 })
    const hour = { symbol: 'HOUR', interval: '1H' }
    expect((await rowsOf({ ...hour, ...query }))['HOUR']![0]).toMatchObject({
      time: '2024-01-01 01:00:00',
      open: 10,
    })
    expect((await rowsOf(hour))['HOUR']![0]).toMatchObject({ time: '2024-01-01T01:00:00', open: 10_000 })
  })

  it('names all tickers of the mode or the source that have the interval, where none is asked for', async () => {
    expect(Object.keys(await rowsOf({ limit: '1' }))).toEqual(['AAA', 'VNINDEX'])
    expect(Object.keys(await rowsOf({ mode: 'cryptos' }))).toEqual(['BTC'])
    expect(Object.keys(await rowsOf({ source: 'crypto' }))).toEqual(['BTC'])
    expect(Object.keys(await rowsOf({ interval: 'hourly' }))).toEqual(['HOUR'])
    // A store that has only what the port asks of it.
    const { range, keys } = sql
    expect(Object.keys(await rowsOf({ limit: '1' }, { sql: { range, keys } }))).toEqual(['AAA', 'VNINDEX'])
    const sources = { vn: 'nowhere', crypto: 'vn' }
    expect(await rowsOf({}, { sources })).toEqual({})
    expect(Object.keys(await rowsOf({ mode: 'crypto', interval: '1h' }, { sources }))).toEqual(['HOUR'])
  })

  it('makes weeks and months of days where nobody has stored them', async () => {
    const { AAA } = await rowsOf({ symbol: 'AAA', interval: '1W', limit: '20', end_date: '2024-10-20' })
    // Week 42: days 287 to 293.
    expect(AAA).toHaveLength(20)
    expect(AAA!.at(-1)).toMatchObject({
      time: '2024-10-14',
      open: 10_287,
      high: 10_393,
      low: 10_187,
      close: 10_343,
    })
    // 20 weeks of closes, each 7 above the one before.
    expect(AAA!.at(-1)!['ma20']).toBe(10_343.01 - 7 * 9.5)
    const all = await rowsOf({ interval: '1M' })
    expect(all['AAA']).toHaveLength(10)
    expect(all['AAA']![1]).toMatchObject({ time: '2024-02-01', open: 10_031 })
    const stored = aDay(0, { ticker: 'VNINDEX', interval: '1M', close: 5 })
    await sql.write([stored])
    expect((await rowsOf({ symbol: 'VNINDEX', interval: '1M' }))['VNINDEX']).toMatchObject([{ close: 5 }])
    await sql.purge('vn', 'VNINDEX', ['1M'])
  })

  it('gives the same whether the lower bars were cut off or not', async () => {
    const query = { symbol: 'AAA', interval: '2W', limit: '3' }
    const few = (await rowsOf(query))['AAA']!
    const more = (await rowsOf({ ...query, limit: '100' }))['AAA']!
    expect(more.slice(-3)).toEqual(few)
  })

  it.each([
    ['interval', '1d', '1m, 5m, 15m, 30m, 1h, 4h, 1D, 1W, 2W, 1M, 1H, daily, hourly, minute'],
    ['interval', ['1D', '1h'], '1m, 5m'],
    ['interval', 'constructor', '1m, 5m'],
    ['start_date', '2024-1-1', 'a day as YYYY-MM-DD'],
    ['end_date', '2024-02-30', 'a day as YYYY-MM-DD'],
    ['limit', '0', 'a whole number from 1 to 10000'],
    ['limit', '10001', 'a whole number'],
    ['limit', '5.5', 'a whole number'],
    ['legacy', '1', 'true, false'],
    ['cache', '', 'true, false'],
    ['format', 'xml', 'json, csv'],
    ['mode', 'fx', 'vn, crypto, stock, stocks, cryptos'],
    ['symbol', 'A,B', 'a ticker of up to 64 characters'],
    ['symbol', '', 'a ticker'],
    ['source', '../etc', 'the name of a source'],
  ])('refuses %s=%j and says what is allowed', async (name, given, allowed) => {
    const asking = ask({ [name]: given })
    await expect(asking).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    await expect(asking).rejects.toThrow(
      `${name} is ${JSON.stringify(given)}; allowed: ${allowed}`.slice(0, 60),
    )
  })

  it('refuses days that end before they begin, and ignores parameters of others', async () => {
    const asking = ask({ start_date: '2024-02-02', end_date: '2024-02-01' })
    await expect(asking).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    expect(Object.keys(await rowsOf({ symbol: 'AAA', utm: 'x' }))).toEqual(['AAA'])
  })

  it('is not kept by any cache where the reader does not want one', async () => {
    expect((await ask({ cache: 'false' })).headers['cache-control']).toBe('no-store')
  })
})

describe('the files behind GET /tickers', () => {
  /** Over a file that is no database. */
  const brokenSql = () => {
    const path = join(mkdtempSync(join(dir, 'broken-')), 'sluice.db')
    writeFileSync(path, 'no database'.repeat(1_000))
    return openSqlCandles({ database: openDatabase({ driver: 'sqlite', path, clock }), clock })
  }

  it('answer when the database fails, and the answer says so', async () => {
    const broken = brokenSql()
    const told: unknown[] = []
    const query = { symbol: 'AAA', limit: '20', start_date: '2024-03-01' }
    const answer = await ask(query, { sql: broken, csv, onFallback: (error) => told.push(error) })
    expect(answer.headers).toEqual({
      ...{
        'cache-control': 'no-store',
        'x-candle-store': 'csv',
        'x-candle-store-problem': 'DATABASE_INVALID',
      },
    })
    expect(answer.body).toBe((await ask(query)).body)
    expect(told).toMatchObject([{ code: 'DATABASE_INVALID' }])
  })

  it('do not answer where that is not allowed, and not when nothing was found', async () => {
    await expect(ask({ symbol: 'AAA' }, { sql: brokenSql() })).rejects.toMatchObject({
      code: 'DATABASE_INVALID',
    })
    await csv.write(days(1, { ticker: 'ONLYCSV' }))
    const legacy = await ask({ symbol: 'ONLYCSV' }, { sql: csv })
    expect(legacy.headers).toEqual({ 'cache-control': 'max-age=30', 'x-candle-store': 'csv' })
    const { headers, body } = await ask({ symbol: 'ONLYCSV' }, { csv })
    expect({ store: headers['x-candle-store'], body }).toEqual({ store: 'sql', body: '{"ONLYCSV":[]}' })
  })

  it('do not cover up a fault of the program', async () => {
    const faulty = { ...sql, range: () => Promise.reject(new TypeError('a fault')) }
    await expect(ask({ symbol: 'AAA' }, { sql: faulty, csv })).rejects.toThrow('a fault')
  })

  it('leave the error of the database when they fail as well', async () => {
    const damaged = mkdtempSync(join(dir, 'damaged-'))
    const store = openCsvCandles({ dir: damaged, clock })
    await store.write(days(2))
    await store.close()
    writeFileSync(join(damaged, 'vn/AAA/1D.csv'), 'gone')
    const asking = ask({ symbol: 'AAA' }, { sql: brokenSql(), csv: store })
    await expect(asking).rejects.toMatchObject({ code: 'DATABASE_INVALID' })
    await expect(asking).rejects.toThrow(/sluice\.db.* The files did not answer either: .*1D\.csv/)
  })
})
