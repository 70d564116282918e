// Histories of funding rates from files.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FundingRow } from '../../src/catalog/index.ts'
import { type FundingImportOptions, openFundingImport } from '../../src/funding/import-funding.ts'
import { parseOffset, readTime } from '../../src/funding/import-time.ts'
import { fundingHistoryOf } from '../../src/funding/index.ts'
import { type ImportOptions, listImportFiles, runImport } from '../../src/imports/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type Folder, openFolder } from '../imports/rig.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { recording } from '../support/recordings.ts'
import { emptyTables } from './events.ts'

const RECORDINGS = recording('funding/BTC-USDT')
const HEADER = 'Symbol,Date,Funding Rate'
let folder: Folder
beforeAll(() => {
  folder = openFolder()
})
afterAll(() => folder.remove())

async function importInto(
  { database }: TestDatabase,
  path: string,
  options: Partial<FundingImportOptions> = {},
  more: Partial<ImportOptions> = {},
) {
  const { report, ...parts } = openFundingImport({ database, clock: systemClock, ...options })
  const files = await listImportFiles(path, ['csv'])
  const result = await runImport({
    ...{ database, clock: systemClock, kind: 'funding', files, ...parts, ...more },
  })
  return { result, report: report() }
}

const historyOf = (test: TestDatabase, venue: string, symbol = 'BTC/USDT'): Promise<FundingRow[]> =>
  test.database.read((tx) => fundingHistoryOf(tx, { venue, symbol, limit: 100_000 }))

describe.each(drivers)('an import of funding rates on %s', (driver) => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase(driver)
  })
  afterAll(() => test.close())
  beforeEach(() => test.database.write(emptyTables))

  it('goes on where it was stopped and leaves the same rows, in small batches', async () => {
    const rows = Array.from({ length: 900 }, (_, i) => {
      const time = new Date(Date.UTC(2024, 0, 1) + i * 3_600_000).toISOString().slice(0, 19)
      return `ETH-USDT,${time.replace('T', ' ')},${i % 7 === 0 ? '-' : ''}0.000${i}00`
    })
    const path = folder.file(`${driver}/ETH-USDT_dydx_2024.csv`, [HEADER, ...rows].join('\n'))
    const stop = new AbortController()
    const onProgress = ({ read }: { read: number }) => void (read >= 200 && stop.abort())
    const more = { batchPieces: 100 }
    const first = await importInto(test, path, {}, { ...more, signal: stop.signal, onProgress })
    expect(first.result).toMatchObject({ stopped: true, stored: 200 })
    const rest = await importInto(test, path, {}, more)
    expect(rest.result).toMatchObject({ read: 900, stored: 900, resumed: 1, stopped: false })
    expect(rest.report.venues).toMatchObject([{ venue: 'dydx', settlesAt: { '00:00': 38, '11:00': 38 } }])
    const halves = await historyOf(test, 'dydx', 'ETH/USDT')
    await test.database.write(emptyTables)
    await importInto(test, path)
    expect(await historyOf(test, 'dydx', 'ETH/USDT')).toEqual(halves)
    expect(halves).toHaveLength(900)
  })

  it('replaces a rate that the file has otherwise and says which', async () => {
    const file = (name: string, rate: string) =>
      folder.file(
        `${driver}/${name}/BTC-USDT_gate_2024.csv`,
        `${HEADER}\nBTC-USDT,2024-01-01 08:00:00,${rate}\n`,
      )
    await importInto(test, file('a', '0.0001'))
    const { result, report } = await importInto(test, file('b', '1e-5'))
    expect(result).toMatchObject({ stored: 1, duplicate: 0 })
    const fundingTime = Date.UTC(2024, 0, 1, 8)
    const changed = { venue: 'gate', symbol: 'BTC/USDT', fundingTime, before: '0.0001', rate: '0.00001' }
    expect(report).toMatchObject({ corrected: 1, examples: [changed] })
  })
})

describe('the recorded funding rates', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase('sqlite')
  })
  afterAll(() => test.close())

  it.skipIf(!RECORDINGS)('are brought to UTC, and Binance and Bybit differ as they do', async () => {
    const { result, report } = await importInto(test, RECORDINGS!)
    expect(result).toMatchObject({ read: 39_332, stored: 39_332, duplicate: 0, quarantined: {}, failed: [] })
    const hours = Object.fromEntries(report.venues.map(({ venue, settlesAt }) => [venue, settlesAt]))
    const eight = ['00:00', '08:00', '16:00']
    for (const venue of ['binance', 'bybit', 'gate', 'mexc'])
      expect(Object.keys(hours[venue]!)).toEqual(eight)
    expect(Object.keys(hours['kucoin']!)).toEqual(['04:00', '12:00', '20:00'])
    expect(Object.keys(hours['dydx']!)).toHaveLength(24)
    // Seven settlements of HTX were late by hours.
    expect(hours['htx']).toMatchObject({ '00:00': 1_094, '08:00': 1_093, '16:00': 1_090, '18:00': 3 })

    const bybit = new Map((await historyOf(test, 'bybit')).map((row) => [row.fundingTime, row.rate]))
    const differences = (await historyOf(test, 'binance'))
      .filter(({ fundingTime }) => bybit.has(fundingTime))
      .map(({ fundingTime, rate }) => Math.abs(Number(rate) - Number(bybit.get(fundingTime))) * 10_000)
      .sort((a, b) => a - b)
    const at = (q: number) => differences[Math.floor(differences.length * q)]
    expect(differences).toHaveLength(3_285)
    expect(at(0.5)).toBeCloseTo(0.44, 2)
    expect(at(0.95)).toBeCloseTo(5.06, 2)
    expect(differences.at(-1)).toBeCloseTo(28.3, 1)

    const again = await importInto(test, RECORDINGS!)
    expect(again.result).toMatchObject({ read: 39_332, stored: 0, duplicate: 39_332 })
    expect(again.report.corrected).toBe(0)
  })
})

describe('a file of funding rates', () => {
  const take = async (
    name: string,
    lines: readonly string[],
    options: Partial<FundingImportOptions> = {},
  ) => {
    const path = folder.file(`dry/${name}`, lines.join('\n'))
    const { report, ...parts } = openFundingImport({ clock: systemClock, ...options })
    const files = await listImportFiles(path, ['csv'])
    const place = { database: undefined as never, clock: systemClock, dryRun: true }
    const result = await runImport({ ...place, kind: 'funding', files, ...parts })
    return { ...result, report: report() }
  }

  it('is put aside line by line with its reason, and nothing good with it', async () => {
    const lines = [
      'Symbol,Date,Funding Rate,Interval,Mark Price',
      'BTC-USDT,2024-01-01 08:00:00,0.0001,8h,42000.5',
      'BTC-USDT,2024-01-01 16:00:00,0.0001,,',
      'BTC-USDT,2024-01-02 00:00:00,0.0001',
      'BTCUSDT,2024-01-02 00:00:00,0.0001,,',
      'BTC-USDT,2024-02-30 00:00:00,0.0001,,',
      'BTC-USDT,1704153600,0.0001,,',
      'BTC-USDT,2015-01-02 00:00:00,0.0001,,',
      'BTC-USDT,2024-01-02 00:00:00,NaN,,',
      'BTC-USDT,2024-01-02 00:00:00,1.5,,',
      'BTC-USDT,2024-01-02 00:00:00,0.0001,48,',
      'BTC-USDT,2024-01-02 00:00:00,0.0001,,-1',
      '<<<<<<< ours',
      'BTC-USDT,2024-01-02 00:00:00,0.0001,,',
      '>>>>>>> theirs',
      'BTC-USDT,2024-01-01 16:00:00,0.0002,,',
    ]
    const { read, stored, duplicate, quarantined, report } = await take('BTC-USDT_okx.csv', lines, {
      utcOffset: 0,
    })
    expect({ read, stored, duplicate, quarantined }).toEqual({
      ...{ read: 15, stored: 2, duplicate: 1 },
      quarantined: { field_count: 1, missing_field: 1, bad_time: 3, bad_number: 4, conflict_marker: 3 },
    })
    expect(report).toMatchObject({
      superseded: 1,
      venues: [{ venue: 'okx', utcOffset: '+00:00', offsetFrom: 'option' }],
    })
  })

  it('is read in the zone that it names, that the option names, that its venue is known for, or not at all', async () => {
    const lines = [HEADER, 'BTC-USDT,2024-01-01 03:00:00,0.0001', 'BTC-USDT,2024-01-01T11:00:00+03:00,0.0001']
    const settles = async (name: string, options?: Partial<FundingImportOptions>) =>
      (await take(name, lines, options)).report.venues.map(({ settlesAt }) =>
        Object.keys(settlesAt).join(' '),
      )
    expect(await settles('BTC-USDT_Binance.csv')).toEqual(['00:00 08:00'])
    expect(await settles('BTC-USDT_binance.csv', { utcOffset: 0 })).toEqual(['03:00 08:00'])
    expect(await settles('history_of_gate.csv')).toEqual(['03:00 08:00'])
    const unknown = await take('BTC-USDT_okx.csv', lines)
    expect(unknown).toMatchObject({ stored: 1, quarantined: { bad_time: 1 } })
    expect(unknown.examples[0]!.detail).toContain('--utc-offset')
    await expect(take('rates.csv', lines)).rejects.toMatchObject({ code: 'USAGE' })
    expect(await take('rates.csv', lines, { venue: 'bybit' })).toMatchObject({ stored: 2 })
    expect((await take('gate_x.csv', ['Date,Rate', '1,2'])).failed[0]!.problem).toContain('has no symbol')
  })

  it('has times of many forms, and offsets too', () => {
    const known = Date.UTC(2024, 1, 29, 13, 30, 0, 47)
    expect(readTime('2024-02-29 16:30:00.047', 180)).toBe(known)
    expect(readTime('2024-02-29T13:30:00.0471Z', 180)).toBe(known)
    expect(readTime(String(known), 180)).toBe(known)
    expect(readTime('2024-02-29 08:00:00.047 -0530', 180)).toBe(known)
    expect(readTime('2023-02-29 00:00:00', 0)).toContain('cannot be read')
    expect(['+03:00', '3', '-5:30', 'Z', '0'].map(parseOffset)).toEqual([180, 180, -330, 0, 0])
    for (const text of ['', '15', '3:60', 'UTC', '+-3']) expect(() => parseOffset(text)).toThrow(/allowed/)
  })
})
