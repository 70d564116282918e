// `sluice candles` as a person and a program call it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { openSqlCandles } from '../../src/candles/sql-candles.ts'
import { getCandles } from '../../src/cli/candles.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openSqliteTicks, type Tick } from '../../src/ticks/index.ts'
import { sluice } from '../support/command.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

const T = Date.UTC(2026, 0, 5, 10)
let test: TestDatabase
let dir: string
const candles = async (...words: string[]) =>
  sluice(['candles', ...words], { env: { ...test.environment, DATA_DIR: dir } }).ended

const aTick = (time: number, mid: number, flags = 0): Tick => ({
  ...{ symbol: 'A/X', source: 'alpha', time, nanos: 0, sequence: 0, bid: mid - 0.5, ask: mid + 0.5 },
  ...{ bidSize: undefined, askSize: undefined, volume: 0, flags, broker: '' },
})

beforeAll(async () => {
  test = await openTestDatabase('sqlite')
  dir = mkdtempSync(join(tmpdir(), 'sluice-candles-'))
  const store = openSqlCandles({ database: test.database, clock: systemClock })
  const bar = { interval: '1D', open: 1, high: 3, low: 1, close: 2, volume: 5 } as const
  await store.write([
    { ...bar, source: 'vn', ticker: 'VIC', time: 0 },
    { ...bar, source: 'vn', ticker: 'VIC', time: 86_400_000, close: 3 },
    ...['one', 'two'].map((source) => ({ ...bar, source, ticker: 'BTC', time: 0 })),
  ])
  const ticks = openSqliteTicks({ dir: join(dir, 'ticks'), clock: systemClock })
  await ticks.write([aTick(T, 100), aTick(T + 1_000, 104), aTick(T + 2_000, 102), aTick(T + 3_000, 900, 1)])
  await ticks.close()
})
afterAll(async () => {
  await test.close()
  rmSync(dir, { recursive: true })
})

describe('sluice candles', () => {
  it('shows candles as a table, as 20 columns of CSV and as JSON', async () => {
    const [shown, csv, json] = await Promise.all([
      candles('get', 'VIC'),
      candles('get', 'VIC', '--format', 'csv'),
      candles('get', 'VIC', '--json', '--limit', '1'),
    ])
    expect(shown.stdout).toContain('VIC 1D of vn')
    expect(shown.stdout).toMatch(/1970-01-02T00:00 +1 +3 +1 +3 +5 +50\.0000/)
    const [header, ...lines] = csv.stdout.trim().split('\n')
    expect([header!.split(',').length, lines.length]).toEqual([20, 2])
    expect(JSON.parse(json.stdout)).toMatchObject({
      ticker: 'VIC',
      time: '1970-01-02T00:00:00.000Z',
      close: 3,
      closeChanged: 50,
    })
  })

  it('shows what answers while a cut-over is under way', async () => {
    const apart = join(dir, 'apart')
    const files = openCsvCandles({ dir: join(apart, 'candles'), clock: systemClock })
    const bar = { interval: '1D', source: 'filed', ticker: 'ONLY', time: 0 } as const
    await files.write([{ ...bar, open: 1, high: 9, low: 1, close: 7, volume: 5 }])
    await files.close()
    const env = { ...test.environment, DATA_DIR: apart }
    const get = (backend: string) =>
      sluice(['candles', 'get', 'ONLY', '--json'], { env: { ...env, CANDLES_BACKEND: backend } }).ended
    const [dual, one] = await Promise.all([get('dual'), get('sql')])
    expect(JSON.parse(dual.stdout)).toMatchObject({ source: 'filed', close: 7 })
    expect([one.code, one.stdout]).toEqual([0, ''])
  })

  it('refuses what it does not know, and asks for the source where there are several', async () => {
    const [interval, format, source] = await Promise.all([
      candles('get', 'VIC', '--interval', '1d'),
      candles('get', 'VIC', '--format', 'xml'),
      candles('get', 'BTC'),
    ])
    expect([interval.code, format.code, source.code]).toEqual([2, 2, 2])
    expect(interval.stderr).toContain('interval is "1d"; allowed: 1m, 5m')
    expect(format.stderr).toContain('allowed: table, csv, jsonl')
    expect(source.stderr).toContain('Several sources have BTC 1D: --source one, two.')
    const tooMany = { interval: '1D', limit: 100_001, format: 'csv' }
    await expect(getCandles('VIC', tooMany, {} as Terminal)).rejects.toMatchObject({
      ...{ code: 'USAGE', message: expect.stringContaining('allowed: 1 to 100000') },
    })
  })

  it('builds bars from the stored ticks of a venue, and nothing new the second time', async () => {
    const range = ['A/X', '--from', '2026-01-05T10:00:00Z', '--to', '2026-01-05T11:00:00Z']
    const first = await candles('rebuild', ...range, '--source', 'alpha')
    expect(first.stdout).toBe('3 ticks made 7 bars of A/X: 7 new, 0 changed, 0 as they were\n')
    const [second, simulated, none, got] = await Promise.all([
      candles('rebuild', ...range, '--source', 'alpha', '--json'),
      candles('rebuild', ...range, '--source', 'alpha~simulated', '--interval', '1m,1h', '--json'),
      candles('rebuild', ...range, '--source', 'beta'),
      candles('get', 'A/X', '--source', 'alpha', '--interval', '1h', '--json'),
    ])
    expect(JSON.parse(second.stdout)).toEqual({
      ticks: 3,
      bars: 7,
      stored: 0,
      changed: 0,
      unchanged: 7,
      growing: 0,
      ending: 0,
    })
    expect(JSON.parse(simulated.stdout)).toMatchObject({ ticks: 1, bars: 2, stored: 2 })
    expect(none.stdout).toBe('no ticks of A/X are stored there: sluice ticks stats\n')
    expect(JSON.parse(got.stdout)).toMatchObject({ open: 100, high: 104, low: 100, close: 102, volume: 3 })
    // What it would make without them could not be corrected any more.
    mkdirSync(join(dir, 'ticks/spill'), { recursive: true })
    writeFileSync(join(dir, 'ticks/spill/000001.2026-01-05.ticks'), '')
    const refused = await candles('rebuild', ...range, '--source', 'alpha')
    rmSync(join(dir, 'ticks/spill'), { recursive: true })
    expect(refused.stderr).toMatch(/1 spill files of ticks wait to be stored, .*\[TICKS_WAITING\]/)
  })

  it('deletes whole intervals and what is made of them, in both stores, when somebody says yes', async () => {
    const sql = openSqlCandles({ database: test.database, clock: systemClock })
    const csv = openCsvCandles({ dir: join(dir, 'candles'), clock: systemClock })
    const key = { source: 'one', ticker: 'BTC', open: 1, high: 3, low: 1, close: 2, volume: 5 }
    await sql.write([
      { ...key, interval: '1W', time: -259_200_000 },
      { ...key, interval: '1h', time: 0 },
    ])
    await csv.write([
      { ...key, interval: '1D', time: 0 },
      { ...key, interval: '1M', time: 0 },
    ])
    await csv.close()

    const asked = await candles('purge', 'BTC', '--source', 'one', '--interval', '1D')
    expect([asked.code, asked.stderr]).toEqual([
      2,
      expect.stringContaining('Delete 2 candles of one BTC (1D, 1W, 1M) and 2 in files?'),
    ])
    const done = await candles('purge', 'BTC', '--source', 'one', '--interval', '1D', '--yes')
    expect(done.stdout).toBe('2 candles deleted (1D, 1W, 1M)\n')
    expect((await sql.keys('one')).map(({ interval }) => interval)).toEqual(['1h'])
    expect(await csv.keys()).toEqual([])
    expect((await candles('get', 'BTC')).stdout).toContain('BTC 1D of two')
  })
})
