// One file of one series, oldest first. A place in it is found by bisection, so that a write reads the lines around it
// and copies the others as they are. It is replaced as a whole or not at all.
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder, messageOf, SluiceError } from '../kernel/index.ts'
import type { BarKey, Candle } from './candle.ts'
import { CSV_HEADER, candleLine, candleOfLine } from './csv-row.ts'
import { parseTime } from './format-time.ts'

const HEAD = Buffer.from(`${CSV_HEADER}\n`)
const BREAK = 10
/** Node reads no larger file at once; one that was written nevertheless could never be read again. */
const FILE_BYTES_MAX = 2 ** 31 - 1

export interface SeriesFile {
  readonly path: string
  /** Of the first line and behind the last. */
  readonly begin: number
  readonly end: number
  /** Offset of the first line at or behind a time, ms UTC. */
  seek(time: number): number
  /** The offset so many lines on, or back where negative; at most to an end of the file. */
  move(offset: number, lines: number): number
  /** The candles between two offsets. */
  candles(from: number, to: number): Candle[]
  /** Lines in all. */
  count(): number
  /** The file with other candles between two offsets. */
  spliced(from: number, to: number, candles: readonly Candle[]): Buffer
}

/** Without candles where there is no file. Throws DATABASE_INVALID for one that is damaged, FILE_TOO_LARGE. */
export async function readSeries(path: string, key: BarKey): Promise<SeriesFile> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return HEAD
    if (error.code === 'ERR_FS_FILE_TOO_LARGE') throw tooLarge(path)
    throw refused(path, 'read', error)
  })
  const isWhole = bytes.subarray(0, HEAD.length).equals(HEAD) && bytes.at(-1) === BREAK
  if (!isWhole) {
    const message = `${path} does not begin with the ${CSV_HEADER.split(',').length} columns, or does not end with a line.`
    throw new SluiceError('DATABASE_INVALID', message, { path })
  }
  return seriesIn(bytes, path, key)
}

function seriesIn(bytes: Buffer, path: string, key: BarKey): SeriesFile {
  const [begin, end] = [HEAD.length, bytes.length]
  const next = (offset: number) => bytes.indexOf(BREAK, offset) + 1
  const timeAt = (offset: number) => {
    const text = bytes.toString('utf8', offset, next(offset) - 1)
    const time = parseTime(text.split(',', 2)[1] ?? '')
    // Says what is wrong with it.
    return time ?? candleOfLine(text, key, path).time
  }
  return {
    ...{ path, begin, end },
    seek(time) {
      let [low, high] = [begin, end]
      while (low < high) {
        const line = bytes.lastIndexOf(BREAK, ((low + high) >> 1) - 1) + 1
        if (timeAt(line) < time) low = next(line)
        else high = line
      }
      return low
    },
    move(offset, lines) {
      let at = offset
      for (let left = lines; left > 0 && at < end; left--) at = next(at)
      for (let left = lines; left < 0 && at > begin; left++) at = bytes.lastIndexOf(BREAK, at - 2) + 1
      return at
    },
    candles: (from, to) =>
      from >= to
        ? []
        : bytes
            .toString('utf8', from, to - 1)
            .split('\n')
            .map((line) => candleOfLine(line, key, path)),
    count() {
      let lines = 0
      for (let at = begin; at < end; at = next(at)) lines += 1
      return lines
    },
    spliced(from, to, candles) {
      const lines = candles.map((candle) => `${candleLine(candle)}\n`).join('')
      return Buffer.concat([bytes.subarray(0, from), Buffer.from(lines), bytes.subarray(to)])
    },
  }
}

function tooLarge(path: string): SluiceError {
  const message = `${path} would have more than ${FILE_BYTES_MAX} bytes; it is read and replaced as a whole.`
  return new SluiceError('FILE_TOO_LARGE', message, { path, bytesMax: FILE_BYTES_MAX })
}

/** Throws FILE_TOO_LARGE. Durable when it resolves. Whoever reads meanwhile sees the former file or this one. One writer at a time. */
export async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  if (bytes.length > FILE_BYTES_MAX) throw tooLarge(path)
  const folder = dirname(path)
  const temporary = `${path}.new`
  try {
    await makeDurable(folder)
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(folder)
  } catch (error) {
    throw refused(path, 'written', error)
  }
}

export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true })
    await syncFolder(dirname(path))
  } catch (error) {
    throw refused(path, 'written', error)
  }
}

/** A new folder is durable when the one that holds it is. */
async function makeDurable(folder: string): Promise<void> {
  const first = makeFolder(folder)
  for (let at = folder; first !== undefined && at.length >= first.length; at = dirname(at)) {
    await syncFolder(dirname(at))
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const refused = (path: string, what: 'read' | 'written', error: unknown) =>
  new SluiceError('DATABASE_UNAVAILABLE', `${path} cannot be ${what}: ${messageOf(error)}.`, { path }, error)
