// Where each series has its file: <folder>/<source>/<ticker>/<interval>.csv, which is the reference's layout with a
// folder for each source.
import { join } from 'node:path'
import { type BarKey, INTERVALS, type Interval } from './candle.ts'

/** `1M.csv` and `1m.csv` would be one file on a disk that does not tell cases apart. */
const MONTH = '1month'

export const csvPath = (dir: string, { source, ticker, interval }: BarKey): string =>
  join(dir, folderName(source), folderName(ticker), `${interval === '1M' ? MONTH : interval}.csv`)

/** BTC/USDT is BTC%2FUSDT. */
export const folderName = (name: string): string => encodeURIComponent(name).replace(/^\./, '%2E')

/** Undefined for a folder that no name of ours has. */
export function nameOfFolder(folder: string): string | undefined {
  try {
    const name = decodeURIComponent(folder)
    return folderName(name) === folder ? name : undefined
  } catch {
    return undefined
  }
}

export function intervalOfFile(file: string): Interval | undefined {
  const name = file.endsWith('.csv') ? file.slice(0, -4) : undefined
  return name === MONTH ? '1M' : INTERVALS.find((interval) => interval === name && interval !== '1M')
}
