import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { CSV_HEADER, candleLine, candleOfLine } from '../../src/candles/csv-row.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { aBar, barsFrom, candlesOf } from './store-bars.ts'
import { describeStore } from './store-conformance.ts'

const clock = systemClock
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-candles-'))
  folders.push(folder)
  return folder
}
const key = { source: 'vn', ticker: 'VIC', interval: '1m' } as const

// Fewer runs: each write waits for the disk.
const runs = 4
describeStore(
  'candles in CSV files',
  async () => {
    const store = openCsvCandles({ dir: newFolder(), clock })
    return { store, close: () => store.close() }
  },
  { runs },
)

describe('a file of candles', () => {
  it('has the 20 columns of the reference, a folder for each source, and numbers in full', async () => {
    const dir = newFolder()
    const store = openCsvCandles({ dir, clock })
    await store.write(barsFrom(0, 12))
    await store.write([
      { ...aBar(0), interval: '1D' },
      { ...aBar(0), interval: '1M', ticker: 'BTC/USDT' },
    ])
    await store.close()
    const candles = candlesOf(barsFrom(0, 12))
    const lines = readFileSync(join(dir, 'vn/VIC/1m.csv'), 'utf8').split('\n')
    expect(lines).toEqual([CSV_HEADER, ...candles.map(candleLine), ''])
    expect(lines[0]!.split(',')).toHaveLength(20)
    const [last] = candles.slice(-1)
    expect(lines.at(-2)).toContain(`VIC,2024-01-01T00:11:00,${last!.open},`)
    expect(lines.at(-2)).toContain(`,${last!.ma10},,,,,${last!.ma10Score},`)
    expect(readFileSync(join(dir, 'vn/VIC/1D.csv'), 'utf8')).toContain('\nVIC,2024-01-01,')
    expect(existsSync(join(dir, 'vn/BTC%2FUSDT/1month.csv'))).toBe(true)
  })

  it('keeps a candle bit by bit in its line', () => {
    for (const candle of candlesOf(barsFrom(0, 201))) {
      expect(candleOfLine(candleLine(candle), key, 'here')).toEqual(candle)
    }
  })

  it.each([
    ['holds the markers of a merge', (lines: string[]) => lines.splice(200, 0, '<<<<<<< Updated upstream')],
    ['has a line that was cut', (lines: string[]) => lines.splice(200, 1, 'VIC,2024-01-01T03:19:00,1')],
    [
      'has a line of another ticker',
      (lines: string[]) => lines.splice(200, 1, lines[200]!.replace('VIC', 'VHM')),
    ],
    [
      'has a price that is no number',
      (lines: string[]) => lines.splice(200, 1, lines[200]!.replace(/\d+\.\d+/, 'x')),
    ],
    ['ends within a line', (lines: string[]) => lines.pop()],
    ['has other columns', (lines: string[]) => lines.splice(0, 1, 'ticker,time,open')],
  ])('that %s is refused and left as it is', async (_what, damage) => {
    const dir = newFolder()
    const store = openCsvCandles({ dir, clock })
    await store.write(barsFrom(0, 400))
    const path = join(dir, 'vn/VIC/1m.csv')
    const lines = readFileSync(path, 'utf8').split('\n')
    damage(lines)
    writeFileSync(path, lines.join('\n'))
    const refused = { code: 'DATABASE_INVALID', facts: { path } }
    await expect(store.range(key)).rejects.toMatchObject(refused)
    await expect(store.write([aBar(199, {}, 1)])).rejects.toMatchObject(refused)
    expect(readFileSync(path, 'utf8')).toBe(lines.join('\n'))
    await store.close()
  })

  it('that is too large to be read at once is refused by a code, which is not tried again, and left as it is', async () => {
    const dir = newFolder()
    const store = openCsvCandles({ dir, clock })
    await store.write([aBar(0)])
    const path = join(dir, 'vn/VIC/1m.csv')
    // Takes no place on the disk.
    truncateSync(path, 2 ** 31)
    const refused = { code: 'FILE_TOO_LARGE', facts: { path, bytesMax: 2 ** 31 - 1 } }
    await expect(store.range(key)).rejects.toMatchObject(refused)
    await expect(store.write([aBar(1)])).rejects.toMatchObject(refused)
    expect(statSync(path).size).toBe(2 ** 31)
    await store.close()
  })

  it('tells that the disk refuses', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'vn'), 'in the way')
    const store = openCsvCandles({ dir, clock })
    await expect(store.write([aBar(0)])).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await store.close()
    const under = openCsvCandles({ dir: join(dir, 'vn', 'deeper'), clock })
    await expect(under.write([aBar(0)])).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })
})

describe('processes that write one folder', () => {
  const start = (dir: string, ticker: string, ...plan: number[]) => {
    const program = join(import.meta.dirname, 'writing-csv.ts')
    const child = spawn(process.execPath, [program, dir, ticker, ...plan.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return { child, closed: once(child, 'close') }
  }
  const all = (dir: string) => openCsvCandles({ dir, clock }).range(key)

  it('wait for each other and lose nothing', async () => {
    const dir = newFolder()
    // Every other bar, and those between.
    const children = [start(dir, 'VIC', 0, 80, 5), start(dir, 'VIC', 380, 80, 5)]
    const codes = await Promise.all(children.map(async ({ closed }) => (await closed)[0]))
    expect(codes).toEqual([0, 0])
    expect(await all(dir)).toEqual(candlesOf(barsFrom(0, 780)))
  })

  it('leave a whole file when they are killed, and the next one writes at once', async () => {
    const dir = newFolder()
    const { child, closed } = start(dir, 'VIC', 0, 20, 2_000)
    await eventually(async () => (await all(dir)).length > 500)
    child.kill('SIGKILL')
    await closed
    const left = await all(dir)
    expect(left.length % 20).toBe(0)
    expect(left).toEqual(candlesOf(barsFrom(0, left.length)))
    const store = openCsvCandles({ dir, clock, lockMs: 0 })
    expect(await store.write(barsFrom(0, left.length + 5))).toMatchObject({
      stored: 5,
      unchanged: left.length,
    })
    await store.close()
  })

  it('are told who is in the way while another one holds it', async () => {
    const dir = newFolder()
    const { child, closed } = start(dir, 'VIC', 0, 0, 0)
    await once(child.stdout!, 'data')
    const store = openCsvCandles({ dir, clock, lockMs: 50 })
    await expect(store.write([aBar(0)])).rejects.toMatchObject({ code: 'DATABASE_BUSY', facts: { dir } })
    expect(await store.range(key)).toEqual([])
    child.kill('SIGKILL')
    await closed
    expect(await store.write([aBar(0)])).toMatchObject({ stored: 1 })
    await store.close()
  })
})
