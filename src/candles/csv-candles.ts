// Candles in files, one for each series, in the reference's columns: what other programs read, what the former system
// wrote, and what answers while the database does not.
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Clock, messageOf, SluiceError } from '../kernel/index.ts'
import type { BarKey, CandleStore, CandlesWritten } from './candle.ts'
import { readSeries, removeFile, replaceFile } from './csv-file.ts'
import { openFolderLock } from './csv-lock.ts'
import { csvPath, intervalOfFile, nameOfFolder } from './csv-place.ts'
import { LOOK_BACK } from './indicators.ts'
import { mergeBars } from './store-merge.ts'
import { type Series, seriesOf } from './store-series.ts'
import type { TickerStore } from './tickers-read.ts'

const NEIGHBOURS = LOOK_BACK - 1

export interface CsvCandlesOptions {
  /** Holds a folder for each source. Created when something is written. */
  readonly dir: string
  readonly clock: Clock
  /** How long a write waits for another process that writes, ms. Default 5,000. */
  readonly lockMs?: number
}

export interface CsvCandles extends CandleStore, TickerStore {
  /** Lets another process write. */
  close(): Promise<void>
}

/**
 * A write replaces the file of each series in turn, durably; one that was killed between two has written the first.
 * Rejects with DATABASE_BUSY (another process writes), DATABASE_UNAVAILABLE (the disk refuses) DATABASE_INVALID (a
 * file was damaged by somebody else; it stays as it is) or FILE_TOO_LARGE (2 GiB; it stays as it is).
 */
export function openCsvCandles({ dir: folder, clock, lockMs = 5_000 }: CsvCandlesOptions): CsvCandles {
  const dir = resolve(folder)
  const lock = openFolderLock(dir, clock, lockMs)
  return {
    name: 'csv',
    async write(bars) {
      const all = seriesOf(bars)
      if (all.length === 0) return { stored: 0, changed: 0, unchanged: 0 }
      return lock.hold(async () => {
        const written = []
        for (const series of all) written.push(await writeSeries(dir, series))
        return sumOf(written)
      })
    },
    async range({ from, to, limit, ...key }) {
      const file = await readSeries(csvPath(dir, key), key)
      const end = to === undefined ? file.end : file.seek(to)
      const begin = from === undefined ? file.begin : file.seek(from)
      const newest = limit === undefined ? begin : Math.max(begin, file.move(end, -limit))
      return file.candles(newest, end)
    },
    async tickers(source, intervals) {
      const keys = await findKeys(dir, source)
      return [...new Set(keys.filter((key) => intervals.includes(key.interval)).map(({ ticker }) => ticker))]
    },
    async sources(ticker, interval) {
      const found = []
      for (const { name } of await foldersIn(dir)) {
        const key = { source: name, ticker, interval }
        if ((await readSeries(csvPath(dir, key), key)).count() > 0) found.push(name)
      }
      return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    },
    async keys(source, ticker) {
      const keys = []
      for (const key of await findKeys(dir, source, ticker)) {
        const file = await readSeries(csvPath(dir, key), key)
        const [first] = file.candles(file.begin, file.move(file.begin, 1))
        const [last] = file.candles(file.move(file.end, -1), file.end)
        if (first && last) keys.push({ ...key, bars: file.count(), first: first.time, last: last.time })
      }
      return keys
    },
    purge: (source, ticker, intervals) =>
      lock.hold(async () => {
        let bars = 0
        for (const interval of new Set(intervals)) {
          const key = { source, ticker, interval }
          const file = await readSeries(csvPath(dir, key), key)
          if (file.count() === 0) continue
          bars += file.count()
          await removeFile(file.path)
        }
        return bars
      }),
    close: () => lock.close(),
  }
}

async function writeSeries(dir: string, { key, bars }: Series): Promise<CandlesWritten> {
  const file = await readSeries(csvPath(dir, key), key)
  const begin = file.seek(bars[0]!.time)
  const end = file.move(file.seek(bars.at(-1)!.time + 1), NEIGHBOURS)
  const before = file.candles(file.move(begin, -NEIGHBOURS), begin)
  const merged = mergeBars({ before, known: file.candles(begin, end) }, bars)
  if (merged.runs.length > 0) await replaceFile(file.path, file.spliced(begin, end, merged.all))
  return merged
}

const sumOf = (all: readonly CandlesWritten[]): CandlesWritten => ({
  stored: all.reduce((sum, { stored }) => sum + stored, 0),
  changed: all.reduce((sum, { changed }) => sum + changed, 0),
  unchanged: all.reduce((sum, { unchanged }) => sum + unchanged, 0),
})

/** Ordered as the database orders texts: by their bytes. */
async function findKeys(dir: string, only?: string, named?: string): Promise<BarKey[]> {
  const keys: BarKey[] = []
  for (const source of await foldersIn(dir)) {
    if (only !== undefined && source.name !== only) continue
    for (const ticker of await foldersIn(source.path)) {
      if (named !== undefined && ticker.name !== named) continue
      for (const file of await list(ticker.path)) {
        const interval = intervalOfFile(file.name)
        if (interval) keys.push({ source: source.name, ticker: ticker.name, interval })
      }
    }
  }
  const bytes = (key: BarKey) => Buffer.from([key.source, key.ticker, key.interval].join('\0'))
  return keys.sort((a, b) => Buffer.compare(bytes(a), bytes(b)))
}

async function foldersIn(path: string): Promise<{ name: string; path: string }[]> {
  return (await list(path)).flatMap((entry) => {
    const name = entry.isDirectory() ? nameOfFolder(entry.name) : undefined
    return name === undefined ? [] : [{ name, path: join(path, entry.name) }]
  })
}

async function list(path: string) {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new SluiceError(
      'DATABASE_UNAVAILABLE',
      `${path} cannot be read: ${messageOf(error)}.`,
      { path },
      error,
    )
  }
}
