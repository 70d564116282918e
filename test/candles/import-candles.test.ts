import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aggregate } from '../../src/candles/aggregate.ts'
import { storedBars } from '../../src/candles/aggregate-stored.ts'
import type { Interval } from '../../src/candles/candle.ts'
import { type CandleImportOptions, openCandleImport } from '../../src/candles/import-candles.ts'
import { isRefused, readCandleLine } from '../../src/candles/import-line.ts'
import { openSqlCandles, type SqlCandles } from '../../src/candles/sql-candles.ts'
import { parseTickers } from '../../src/candles/tickers-query.ts'
import { readTickers } from '../../src/candles/tickers-read.ts'
import { powerOfTen, shifted } from '../../src/candles/units.ts'
import { type ImportOptions, listImportFiles, runImport } from '../../src/imports/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type Folder, openFolder } from '../imports/rig.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { recording } from '../support/recordings.ts'

const clock = systemClock
const HEADER = 'ticker,time,open,high,low,close,volume'

let place: TestDatabase
let store: SqlCandles
let folder: Folder
let turn = 0
beforeAll(async () => {
  place = await openTestDatabase('sqlite')
  store = openSqlCandles({ database: place.database, clock })
  folder = openFolder()
})
afterAll(async () => {
  folder.remove()
  await place.close()
})
const newSource = () => `s${turn++}`

async function importPath(path: string, options: CandleImportOptions, more: Partial<ImportOptions> = {}) {
  const importer = openCandleImport({ store, ...options })
  const files = await listImportFiles(path)
  const { report, ...parts } = importer
  const result = await runImport({
    ...{ database: place.database, clock, kind: 'candles', files, ...parts },
    ...more,
  })
  return { result, report: report() }
}
const importText = (
  name: string,
  lines: readonly string[],
  options: Partial<CandleImportOptions> = {},
  more: Partial<ImportOptions> = {},
) => {
  const path = folder.file(`${turn++}/${name}`, `${lines.join('\n')}\n`)
  return importPath(path, { source: newSource(), ...options }, more)
}

describe('an import of candles', () => {
  it.skipIf(!recording('candles/enhanced')).each([
    { name: 'VIC-1D.csv', interval: '1D', read: 2_743, conflict: 7, cells: 35_568 },
    { name: 'VIC-1h.csv', interval: '1h', read: 2_512, conflict: 13, cells: 32_487 },
  ] as const)(
    'keeps the bars of $name, puts its conflict aside and finds every printed column right',
    async ({ name, interval, read, conflict, cells }) => {
      const source = newSource()
      // Small batches: the comparison goes on from one to the next.
      const path = join(recording('candles/enhanced')!, name)
      const { result, report } = await importPath(path, { source }, { batchPieces: 700 })
      const stored = read - conflict
      expect(result).toMatchObject({ read, stored, duplicate: 0, quarantined: { conflict_marker: conflict } })
      expect(report).toMatchObject({ columns: { compared: cells, different: 0, absent: 0 }, superseded: 0 })
      expect(await store.keys(source)).toMatchObject([{ ticker: 'VIC', interval, bars: stored }])
      const again = await importPath(path, { source })
      expect(again.result).toMatchObject({ read, stored: 0, duplicate: stored })
    },
  )

  it('finds a printed column that is wrong, and one that is missing', async () => {
    const header = `${HEADER},ma10,close_changed`
    const bars = Array.from({ length: 12 }, (_, i) => `A,2024-01-${i + 10},1,1,1,${i + 1},5`)
    const changes = [
      '',
      '100.0000',
      '50.0000',
      '33.3333',
      '25.0000',
      '20.0000',
      '16.6667',
      '14.2857',
      '12.5000',
    ]
    const more = [...changes, '11.1111', '10.0000', '9.0909']
    const printed = (i: number) => `${i < 9 ? '' : `${i - 3.5}0`},${more[i]}`
    const lines = bars.map((bar, i) => `${bar},${printed(i)}`)
    expect((await importText('1D.csv', [header, ...lines])).report.columns).toEqual({
      ...{ compared: 24, different: 0, absent: 0, left: 0 },
    })
    lines[10] = lines[10]!.replace(',6.50', ',6.51')
    lines[11] = lines[11]!.replace(',7.50', ',')
    expect((await importText('1D.csv', [header, ...lines])).report.columns).toEqual({
      ...{ compared: 24, different: 1, absent: 1, left: 0 },
    })
  })

  it('finds no printed column wrong where more tickers take turns than it can follow, and says what it left', async () => {
    const tickers = Array.from({ length: 70 }, (_, i) => `${600_000 + i}`)
    const days = Array.from({ length: 4 }, (_, i) => `2024-01-0${i + 1}`)
    const lines = days.flatMap((day, i) =>
      tickers.map(
        (ticker) => `${ticker},${day},1,1,1,${i + 1},1,,${['', '100.0000', '50.0000', '33.3333'][i]}`,
      ),
    )
    const text = [`${HEADER},ma10,close_changed`, ...lines]
    const { report } = await importText('1D.csv', text, {}, { batchPieces: 50 })
    expect(report.columns).toMatchObject({ different: 0, absent: 0, left: 6 * 3 })
    expect(report.columns.compared).toBe((280 - 6 * 3) * 2)
  })

  it('puts each bad line aside with its reason, and keeps the others', async () => {
    const good = 'A,2024-01-02,1,2,0.5,1.5,100'
    const { result, report } = await importText('1D.csv', [
      ...[HEADER, good, 'A,2024-01-03,1,2,0.5,1.5', 'A,2024-01-04,1,2,0.5,1.5,100,7'],
      ...['A,2024-01-05,1,two,0.5,1.5,100', 'A,2024-01-06,,2,0.5,1.5,100', 'A,2024-01-07,1,2,0.5,1.5,-1'],
      ...['A,2024-01-07,1,2,0.5,1e999,1', 'A,2024-01-07,0x10,2,0.5,1,1'],
      ...['A,2024-02-30,1,2,0.5,1.5,100', 'A,yesterday,1,2,0.5,1.5,100', ',2024-01-08,1,2,0.5,1.5,100'],
      ...['<<<<<<< ours', 'A,2024-01-09,1,2,0.5,1.5,100', '=======', '>>>>>>> theirs'],
      ...['A,2024-01-10,1,2,0.5,0,100', 'A,2024-01-11,1,1.2,0.5,1.5,100'],
    ])
    expect(result).toMatchObject({ read: 17, stored: 3, duplicate: 0 })
    expect(result.quarantined).toEqual({
      ...{ field_count: 2, bad_number: 5, bad_time: 2, missing_field: 1, conflict_marker: 4 },
    })
    expect(report.flagged).toEqual({ non_positive: 1, inconsistent: 2 })
    expect(report.examples.map(({ flag, text }) => `${flag} ${text}`)).toEqual([
      'non_positive A,2024-01-10,1,2,0.5,0,100',
      'inconsistent A,2024-01-10,1,2,0.5,0,100',
      'inconsistent A,2024-01-11,1,1.2,0.5,1.5,100',
    ])
    const rows = await place.database.read(({ sql, t }) =>
      sql.select().from(t.quarantine).orderBy(t.quarantine.position),
    )
    expect(rows.find(({ text }) => text === 'A,2024-02-30,1,2,0.5,1.5,100')).toMatchObject({
      ...{ kind: 'candles', reason: 'bad_time', symbol: 'A', time: null },
      detail: expect.stringContaining('"2024-02-30"; allowed: YYYY-MM-DD'),
    })
  })

  it('puts aside what contradicts itself when it is strict', async () => {
    const lines = [
      HEADER,
      'A,2024-01-10,1,2,0.5,0,100',
      'A,2024-01-11,1,1.2,0.5,1.5,100',
      'A,2024-01-12,1,2,1,1,1',
    ]
    const { result, report } = await importText('1D.csv', lines, { strict: true })
    expect(result).toMatchObject({ stored: 1, quarantined: { non_positive: 1, inconsistent: 1 } })
    expect(report.flagged).toEqual({ non_positive: 0, inconsistent: 0 })
  })

  it('reads columns by their names, and every kind of time', async () => {
    const source = newSource()
    const lines = [
      ...['Volume,Date,Symbol,Close,Low,High,Open,extra', '7,2024-01-02 03:00:00,"B,C",4,3,5,4.5,x'],
      ...['7,2024-01-02T04:00:00Z,BTC/USDT,4,3,5,4.5,', '8,2024-01-02T12:00:00+07:00,BTC/USDT,4,3,5,4.5,'],
      '9,2024-01-02T06:00,BTC/USDT,4,3,5,4.5,',
    ]
    const { result } = await importText('x.csv', lines, { source })
    expect(result).toMatchObject({ stored: 3, quarantined: { missing_field: 1 } })
    const hour = Date.UTC(2024, 0, 2, 4)
    expect(await store.range({ source, ticker: 'BTC/USDT', interval: '1h' })).toMatchObject([
      { time: hour, open: 4.5, high: 5, low: 3, close: 4, volume: 7 },
      { time: hour + 3_600_000, volume: 8 },
      { time: hour + 2 * 3_600_000, volume: 9 },
    ])
    const headless = await importText('1D.csv', ['VCB,2024-01-02,1,1,1,1,1', 'VCB,2024-01-03,1,1,1,1,1'])
    const failed = [{ problem: expect.stringContaining('its header has no ticker, time') }]
    expect(headless.result).toMatchObject({ read: 0, quarantined: {}, failed, stopped: false })
  })

  it.each([
    ['1D.csv', ['2024-01-02T05:00:00']],
    ['daily/A.csv', ['2024-01-02T05:00:00+07:00']],
    ['A.csv', ['2024-01-02', '2024-01-03']],
  ])(
    'takes a bar of %s as a day that begins at midnight of the date that is written',
    async (name, times) => {
      const source = newSource()
      await importText(name, [HEADER, ...times.map((time) => `A,${time},1,1,1,1,1`)], { source })
      expect(await store.keys(source)).toMatchObject([{ interval: '1D', first: Date.UTC(2024, 0, 2) }])
    },
  )

  it('takes the interval from the option, the name, the folder or the times, and asks where none tells it', async () => {
    const minutes = ['A,2024-01-02 05:00:00,1,1,1,1,1', 'A,2024-01-02 05:01:00,1,1,1,1,1']
    const intervalOf = async (name: string, lines: string[], options: Partial<CandleImportOptions> = {}) => {
      const source = newSource()
      await importText(name, [HEADER, ...lines], { source, ...options })
      return (await store.keys(source)).map(({ interval }) => interval)
    }
    expect(await intervalOf('A.csv', minutes)).toEqual(['1m'])
    expect(await intervalOf('A-1m.csv', minutes)).toEqual(['1m'])
    expect(await intervalOf('hourly/A.csv', minutes)).toEqual(['1h'])
    expect(await intervalOf('hourly/A-5m.csv', minutes, { interval: '15m' })).toEqual(['15m'])
    const asked = { code: 'USAGE', message: expect.stringContaining('name it: --interval 1m|5m') }
    await expect(intervalOf('A.csv', minutes.slice(0, 1))).rejects.toMatchObject(asked)
    await expect(intervalOf('A.csv', ['A,2024-01-02,1,1,1,1,1'])).rejects.toMatchObject(asked)
  })

  it.each([
    ['1h', ['2024-01-02T08:15:00', '2024-01-02T11:30:00', '2024-01-02T12:15:00'], 3, '4h', [8, 12]],
    ['1D', ['2024-01-01', '2024-01-07', '2024-01-08'], 0, '1W', [-24, 6 * 24]],
    ['1W', ['2024-01-02', '2024-01-08', '2024-01-19'], 2, undefined, []],
    ['1M', ['2024-01-02', '2024-02-01'], 1, undefined, []],
  ] as const)(
    'leaves bars of %s the time that is written, and lets each belong to the longer one in which it begins',
    async (interval, times, unaligned, longer, begins) => {
      const source = newSource()
      const lines = times.map((time) => `A,${time},1,1,1,1,1`)
      const { report } = await importText('x.csv', [HEADER, ...lines], { source, interval })
      expect(report.unaligned).toBe(unaligned)
      const timesOf = async (of: Interval) => {
        const request = parseTickers({ symbol: 'A', interval: of, mode: 'vn' })
        return (await readTickers(store, source, request, async () => {})).get('A')!.map(({ time }) => time)
      }
      expect(await timesOf(interval)).toEqual(
        times.map((time) => Date.parse(`${time.slice(0, 10)}T${time.slice(11) || '00:00:00'}Z`)),
      )
      if (longer === undefined) return
      const day = Date.UTC(2024, 0, 2)
      expect(await timesOf(longer)).toEqual(begins.map((hours) => day + hours * 3_600_000))
      const bars = await place.database.read((tx) =>
        storedBars(tx, { source, ticker: 'A', interval }, 0, 2 * day),
      )
      expect(aggregate(bars, longer, 0).map(({ time }) => time)).toEqual(await timesOf(longer))
    },
  )

  it('counts a line that a later one gives again, and stores nothing a second time', async () => {
    const source = newSource()
    const lines = [HEADER, 'A,2024-01-02,1,1,1,1,1', 'A,2024-01-02,1,1,1,1,2', 'A,2024-01-03,1,1,1,1,1']
    const path = folder.file(`${turn++}/1D.csv`, lines.join('\n'))
    const first = await importPath(path, { source })
    expect(first).toMatchObject({ result: { read: 3, stored: 2, duplicate: 1 }, report: { superseded: 1 } })
    expect((await importPath(path, { source })).result).toMatchObject({ read: 3, stored: 0, duplicate: 3 })
    expect(await store.range({ source, ticker: 'A', interval: '1D' })).toMatchObject([
      { volume: 2 },
      { volume: 1 },
    ])
  })

  it('writes nothing in a dry run, and judges the same', async () => {
    const source = newSource()
    const path = folder.file(`${turn++}/1D.csv`, [HEADER, 'A,2024-01-02,1,1,1,1,1', 'bad'].join('\n'))
    const { result } = await importPath(path, { source, store: undefined }, { dryRun: true })
    expect(result).toMatchObject({ read: 2, stored: 1, quarantined: { field_count: 1 } })
    expect(await store.keys(source)).toEqual([])
  })

  it('refuses a source and a scale that make no sense', () => {
    expect(() => openCandleImport({ source: 'a b' })).toThrow(/source "a b"/)
    for (const scale of [0, -10, 3, Number.NaN]) {
      expect(() => openCandleImport({ source: 'a', scale })).toThrow(/allowed: 1, 10, 100/)
    }
  })
})

describe('units', () => {
  it('scale the prices of shares by moving the point, and never an index', async () => {
    expect(20.48333 * 1000).not.toBe(20483.33)
    const source = newSource()
    const lines = ['VIC', 'VNINDEX', 'VN30'].map(
      (ticker) => `${ticker},2015-01-05,20.48333,20.5,20,2.1e1,320790`,
    )
    await importText('1D.csv', [HEADER, ...lines], { source, scale: 1_000 })
    const at = async (ticker: string) => (await store.range({ source, ticker, interval: '1D' }))[0]
    expect(await at('VIC')).toMatchObject({
      open: 20483.33,
      high: 20500,
      low: 20000,
      close: 21000,
      volume: 320790,
    })
    for (const index of ['VNINDEX', 'VN30'])
      expect(await at(index)).toMatchObject({ open: 20.48333, close: 21 })
  })

  it('know powers of ten', () => {
    expect([1, 10, 1_000, 0.001].map(powerOfTen)).toEqual([0, 1, 3, -3])
    expect([shifted('1.5', -3), shifted('5e-3', 3), shifted('.5', 1)]).toEqual([0.0015, 5, 5])
  })

  it('leave a line alone that is read without them', () => {
    const line = readCandleLine('VIC,2015-01-05,20.48333,20.5,20,21,320790', HEADER, 0)
    expect(isRefused(line) ? line : line.bar.open).toBe(20.48333)
  })
})
