// Which interval the bars of a file have, where nobody says: its name or its folder's, else its times.
import { basename, dirname } from 'node:path'
import { SluiceError } from '../kernel/index.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import { INTERVALS, type Interval } from './candle.ts'

export interface Timed {
  readonly ticker: string
  readonly time: number
  readonly isIntraday: boolean
}

const FOLDERS: Readonly<Record<string, Interval>> = { daily: '1D', hourly: '1h', minute: '1m' }

/** @param lines those at the beginning of the file. Throws USAGE. */
export function intervalOf(path: string, lines: readonly Timed[]): Interval {
  const named = intervalNamed(path)
  const areDays = lines.every(({ isIntraday }) => !isIntraday)
  const found = named ?? (areDays && lines.length > 0 ? '1D' : intervalBetween(lines))
  if (found) return found
  const message = `${path}: neither its name nor its times tell the interval of its bars; name it: --interval ${INTERVALS.join('|')}.`
  throw new SluiceError('USAGE', message, { path })
}

/** VIC-1D.csv, 1h.csv, daily/VIC.csv. */
function intervalNamed(path: string): Interval | undefined {
  const words = basename(path)
    .replace(/\.csv(\.\w+)?$/i, '')
    .split(/[-_. ]/)
  const interval = INTERVALS.find((one) => words.includes(one))
  return interval ?? FOLDERS[basename(dirname(path)).toLowerCase()]
}

/** The most frequent distance of neighbours; nights and pauses are rarer. */
function intervalBetween(lines: readonly Timed[]): Interval | undefined {
  const counts = new Map<number, number>()
  const last = new Map<string, number>()
  for (const { ticker, time } of lines) {
    const gap = time - (last.get(ticker) ?? time)
    if (gap > 0) counts.set(gap, (counts.get(gap) ?? 0) + 1)
    last.set(ticker, time)
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  return INTERVALS.find((one) => bucketEnd(one, 0) - bucketOf(one, 0) === most?.[0])
}
