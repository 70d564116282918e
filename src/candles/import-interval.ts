// Which interval the bars of a file have, where nobody says: its name or its folder's, else the distance of its rows.
import { basename, dirname } from 'node:path'
import { SluiceError } from '../kernel/index.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import { INTERVALS, type Interval } from './candle.ts'

export interface Timed {
  readonly ticker: string
  readonly time: number
}

const FOLDERS: Readonly<Record<string, Interval>> = {
  ...{ minute: '1m', hourly: '1h', daily: '1D', weekly: '1W', monthly: '1M' },
}
const DAY = 86_400_000
/** Days between two bars: a share that is not traded every day, a week or month that begins with its first day of trade. */
const DAYS_BETWEEN: readonly (readonly [least: number, most: number, Interval])[] = [
  [1, 4, '1D'],
  [6, 8, '1W'],
  [13, 15, '2W'],
  [28, 32, '1M'],
]

/** @param lines those at the beginning of the file. Throws USAGE. */
export function intervalOf(path: string, lines: readonly Timed[]): Interval {
  const found = intervalNamed(path) ?? intervalBetween(lines)
  if (found) return found
  const message = `${path}: neither its name nor the distance of its rows tells the interval of its bars; name it: --interval ${INTERVALS.join('|')}.`
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

/** By the median distance of neighbours: most bars of a session follow each other, nights and weekends are rarer. */
function intervalBetween(lines: readonly Timed[]): Interval | undefined {
  const gaps: number[] = []
  const last = new Map<string, number>()
  for (const { ticker, time } of lines) {
    // A file may begin with the newest.
    const gap = Math.abs(time - (last.get(ticker) ?? time))
    if (gap > 0) gaps.push(gap)
    last.set(ticker, time)
  }
  const median = gaps.sort((a, b) => a - b)[gaps.length >> 1]
  if (median === undefined) return undefined
  const days = median / DAY
  const daily = DAYS_BETWEEN.find(([least, most]) => least <= days && days <= most)
  return daily?.[2] ?? INTERVALS.find((one) => bucketEnd(one, 0) - bucketOf(one, 0) === median)
}
