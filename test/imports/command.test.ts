// `sluice import` and `sluice quality` as a person and a program see them.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CACHE_DROPS, candlesChanged } from '../../src/catalog/index.ts'
import { showFundingHistory, showLatestFunding } from '../../src/cli/funding.ts'
import { importCandles, importTicks } from '../../src/cli/import.ts'
import { importFunding } from '../../src/cli/import-funding.ts'
import { duration, openProgressLine } from '../../src/cli/progress-line.ts'
import { showQuality } from '../../src/cli/quality.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { openDatabase } from '../../src/db/index.ts'
import type { ImportProgress } from '../../src/imports/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { sluice } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { type Folder, openFolder } from './rig.ts'

let folder: Folder
let env: Record<string, string>
beforeAll(() => {
  folder = openFolder()
  const data = join(folder.path, 'data')
  // All of it: another file of this process may have named a database.
  env = { DATA_DIR: data, DATABASE_DRIVER: 'sqlite', SQLITE_DB_PATH: join(data, 'sluice.db') }
  Object.assign(process.env, env)
})
afterAll(() => folder.remove())

/** Runs what a command does in this process, which takes no second to start; answers what it said. */
async function inside<T>(work: (terminal: Terminal) => Promise<T>, json = false) {
  const said: { code: T | undefined; results: Record<string, unknown>[]; texts: string[]; notes: string[] } =
    {
      ...{ code: undefined, results: [], texts: [], notes: [] },
    }
  said.code = await work({
    ...{ json, colours: false, line: () => {} },
    result(value, text) {
      said.results.push(value as Record<string, unknown>)
      said.texts.push(typeof text === 'string' ? text : text())
    },
    note: (message) => void said.notes.push(message),
  })
  return said
}

/** Signals would reach the process of the tests. */
const deaf = () => ({ signal: new AbortController().signal, release: () => {} })

const tickLine = (at: number, bid = 1) =>
  JSON.stringify({
    ...{ symbol: 'EURUSD', lp: 'LP', bid, ask: 1.01 },
    timestamp: new Date(Date.UTC(2026, 0, 19) + at * 100).toISOString(),
  })

describe('sluice import ticks', () => {
  it('says in a dry run what it would do and leaves no trace', async () => {
    const path = folder.file('dry/a.jsonl', `${tickLine(0)}\n${tickLine(1, 0)}\n`)
    const said = await inside((terminal) => importTicks(path, { jumpPct: 0, dryRun: true }, terminal, deaf))
    expect(said.code).toBe(0)
    expect(said.texts.join('')).toMatch(
      /^2 read: 1 to store, 0 there already, 1 quarantined {2}\(0\.0 MB in 0 s\)/,
    )
    expect(said.texts.join('')).toContain(
      `non_positive      1  ${path} at byte ${tickLine(0).length + 1}: bid 0,`,
    )
    expect(existsSync(env['DATA_DIR']!)).toBe(false)
  })

  it('stores, counts by reason, and names files that are damaged', async () => {
    folder.file('some/a.jsonl', [0, 1, 2].map((at) => tickLine(at, at === 2 ? 3 : 1)).join('\n'))
    folder.file('some/b.json.gz', Buffer.from([0x1f, 0x8b, 8, 0, 0]))
    const path = join(folder.path, 'some')
    const first = await inside((terminal) => importTicks(path, { jumpPct: 0 }, terminal, deaf), true)
    expect(first.code).toBe(1)
    expect(first.results).toMatchObject([
      {
        kind: 'ticks',
        files: 2,
        read: 3,
        stored: 2,
        duplicate: 0,
        quarantined: { crossed: 1 },
        stopped: false,
      },
    ])
    expect(first.notes).toEqual([expect.stringContaining('b.json.gz cannot be read on')])
    rmSync(join(path, 'b.json.gz'))
    const second = await inside((terminal) => importTicks(path, { jumpPct: 0 }, terminal, deaf))
    expect(second.code).toBe(0)
    expect(second.results).toMatchObject([{ read: 3, stored: 0, duplicate: 2 }])
    const quality = await inside((terminal) => showQuality({}, terminal))
    expect(quality.texts.join('')).toMatch(
      /2026-01-19 {2}EURUSD {2}LP +2 +0 {2}- +crossed 1 +0\.0100 +0\.0100 +0\.0100 {2}66\.7/,
    )
  })

  it('stops at Ctrl-C behind a batch, says how to go on, and does', async () => {
    const lines = Array.from({ length: 100_000 }, (_, at) => tickLine(at))
    const path = folder.file('long.jsonl', lines.join('\n'))
    const own = { DATA_DIR: join(folder.path, 'long') }
    const importing = sluice(['import', 'ticks', path, '--json'], { env: own })
    const file = join(own.DATA_DIR, 'sluice.db')
    await eventually(() => existsSync(file))
    const database = openDatabase({ driver: 'sqlite', path: file, clock: systemClock })
    const offset = () =>
      database.read(async ({ sql, t }) => (await sql.select().from(t.imports))[0]?.offset ?? 0)
    await eventually(async () => (await offset()) > 0)
    await database.close()
    importing.child.kill('SIGINT')
    const ended = await importing.ended
    expect(ended).toMatchObject({ code: 1, signal: null })
    const stopped = JSON.parse(ended.stdout)
    expect(stopped).toMatchObject({ stopped: true, duplicate: 0 })
    expect(stopped.read).toBeLessThan(100_000)
    // A program gets one value on stdout and nothing on the way.
    expect(
      ended.stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).event),
    ).toEqual(['stopped'])
    const { stdout } = await sluice(['import', 'ticks', path, '--json'], { env: own }).ended
    expect(JSON.parse(stdout)).toMatchObject({ read: 100_000, stored: 100_000, resumed: 1, stopped: false })
  })

  it('refuses what cannot be imported as a usage error', async () => {
    const { code, stderr } = await sluice(['import', 'ticks', join(folder.path, 'dry/a.txt')], { env }).ended
    expect(code).toBe(1)
    expect(stderr).toContain('[FILE_NOT_FOUND]')
    folder.file('a.txt', '')
    await expect(
      inside((terminal) => importTicks(join(folder.path, 'a.txt'), { jumpPct: 0 }, terminal, deaf)),
    ).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('sluice import candles', () => {
  const CSV = 'ticker,time,open,high,low,close,volume\nVIC,2025-01-02,1,2,1,2,10\nVIC,2025-01-03,2,3,2,x,10\n'
  const options = { source: 'vn', scale: 1 }

  it('stores bars of CSV files alone, tells whoever follows, and stores nothing the second time', async () => {
    const path = folder.file('candles/daily/VIC.csv', CSV)
    folder.file('candles/notes.json', '{}')
    const whole = join(folder.path, 'candles')
    const first = await inside((terminal) => importCandles(whole, options, terminal, deaf))
    expect(first.code).toBe(0)
    expect(first.results).toMatchObject([{ files: 1, read: 2, stored: 1, quarantined: { bad_number: 1 } }])
    const second = await inside((terminal) => importCandles(path, options, terminal, deaf))
    expect(second.results).toMatchObject([{ read: 2, stored: 0, duplicate: 1 }])
    const file = join(env['DATA_DIR']!, 'sluice.db')
    const database = openDatabase({ driver: 'sqlite', path: file, clock: systemClock })
    const told = await database.read(async ({ sql, t }) => sql.select().from(t.outbox))
    await database.close()
    expect(told).toMatchObject([{ target: candlesChanged.name }, { target: CACHE_DROPS }])
  })

  it('begins anew under another source or scale, and says so in one line', async () => {
    const path = folder.file('candles/other/daily/VIC.csv', CSV)
    const stopped = () => ({ signal: AbortSignal.abort(), release: () => {} })
    const as = (more: object, listen = deaf) =>
      inside((terminal) => importCandles(path, { ...options, ...more }, terminal, listen))
    expect(await as({ source: 'wrong' }, stopped)).toMatchObject({ code: 1 })
    const { notes, results } = await as({ source: 'right', scale: 1_000 })
    expect(notes).toEqual([
      expect.stringMatching(/^begun with other options before, or changed since: 1 files;/),
    ])
    expect(results).toMatchObject([{ resumed: 0, stored: 1 }])
    expect((await as({ source: 'wrong' })).results).toMatchObject([{ resumed: 0, stored: 1 }])
  })

  it('refuses an interval that there is not', async () => {
    const path = folder.file('candles/x.csv', CSV)
    const wrong = inside((terminal) => importCandles(path, { ...options, interval: '2h' }, terminal, deaf))
    await expect(wrong).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('1D') })
  })
})

describe('sluice import funding', () => {
  const LINES =
    'Symbol,Date,Funding Rate\nBTC-USDT,2024-01-01 03:00:00,0.0001\nBTC-USDT,2024-01-01 11:00:00,0.00020\n'

  it('says how it has read the times, and shows what it has stored', async () => {
    const path = folder.file('funding/BTC-USDT_binance_2024.csv', LINES)
    const first = await inside((terminal) => importFunding(path, {}, terminal, deaf))
    expect(first).toMatchObject({
      code: 0,
      results: [{ kind: 'funding', read: 2, stored: 2, quarantined: {} }],
    })
    expect(first.notes).toEqual([
      'binance: +03:00, as files of this venue are known; settles at 00:00 × 1, 08:00 × 1 (UTC)',
    ])
    const other = folder.file('funding/other/BTC-USDT_binance_2024.csv', LINES.replace('0.0001', '0.0005'))
    const second = await inside((terminal) => importFunding(other, {}, terminal, deaf))
    expect(second.results).toMatchObject([{ stored: 1, duplicate: 1, report: { corrected: 1 } }])
    expect(second.notes.slice(1)).toEqual([
      'stored with another rate before, which is replaced: 1',
      '  binance BTC/USDT 2024-01-01T00:00:00.000Z: 0.0001 is 0.0005 now',
    ])
    const latest = await inside((terminal) => showLatestFunding(undefined, terminal))
    expect(latest.results).toMatchObject([[{ venue: 'binance', rate: '0.0002' }]])
    const page = { before: '2024-01-01T08:00:00Z', limit: 5 }
    const history = await inside((terminal) => showFundingHistory('binance', 'BTC/USDT', page, terminal))
    expect(history.texts.join('')).toMatch(/\nbinance {2}BTC\/USDT {2}2024-01-01T00:00:00\.000Z {2}0\.0005 /)
  })

  it('refuses a file that does not say whose it is before it stores any', async () => {
    folder.file('whose/BTC-USDT_gate_2024.csv', LINES)
    folder.file('whose/rates.csv', LINES)
    const whole = join(folder.path, 'whose')
    const work = inside((terminal) => importFunding(whole, {}, terminal, deaf))
    await expect(work).rejects.toMatchObject({ code: 'USAGE' })
    const gate = await inside((terminal) => showLatestFunding('gate', terminal))
    expect(gate.notes).toEqual(['No funding rates of gate.'])
  })
})

describe('the progress of an import', () => {
  const progress: ImportProgress = {
    ...{ read: 7, stored: 7, duplicate: 0, quarantined: {} },
    ...{ path: '/a/b.json', file: 2, files: 3, bytesDone: 25e6, bytesTotal: 1e8 },
    ...{ piecesPerSecond: 81_234.5, remainingMs: 75_000 },
  }
  const shown = async (json: boolean, isTerminal: boolean) => {
    const written: string[] = []
    const { notes } = await inside(async (terminal) => {
      const line = openProgressLine(terminal, { isTerminal, write: (text) => void written.push(text) })
      for (let i = 0; i < 50; i++) line.show(progress)
      line.end()
    }, json)
    return { written, notes }
  }

  it('is one line that is written over and taken away on a terminal', async () => {
    const { written, notes } = await shown(false, true)
    expect(notes).toEqual([])
    expect(written.at(-1)).toBe('\r\u001b[K')
    const line = '[######..................] 25 %  25.0 MB of 100.0 MB  81,235/s  1:15 min left  2/3 b.json'
    expect(written[0]).toBe(`\r\u001b[K${line.slice(0, 79)}`)
    expect(written.length).toBeLessThan(20)
  })

  it('is a line now and then where nobody watches, and nothing for a program', async () => {
    expect(await shown(false, false)).toEqual({ written: [], notes: [] })
    expect(await shown(true, true)).toEqual({ written: [], notes: [] })
  })

  it('says how long in words that fit', () => {
    expect([0, 59_400, 60_000, 3_599_000, 7_800_000].map(duration)).toEqual([
      ...['0 s', '59 s', '1:00 min', '59:59 min', '2:10 h'],
    ])
  })
})
