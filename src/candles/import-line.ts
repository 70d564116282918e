// A line of CSV under a header as a bar. What cannot be read is refused with its reason; a bar that contradicts itself
// is a bar all the same, and flagged.
import { splitCsv } from '../imports/index.ts'
import type { Bar, Interval } from './candle.ts'
import { isDaily, parseTime } from './format-time.ts'
import { isAllowed } from './store-series.ts'
import { isIndex, shifted } from './units.ts'

export type CandleReason =
  | 'field_count'
  | 'missing_field'
  | 'bad_number'
  | 'bad_time'
  | 'non_positive'
  | 'inconsistent'

export interface RefusedLine {
  readonly reason: CandleReason
  readonly detail: string
  /** As far as they could be read. */
  readonly symbol: string | undefined
  readonly time: number | undefined
}

export type CandleFlag = 'non_positive' | 'inconsistent'

export interface ReadLine {
  readonly bar: Omit<Bar, 'interval' | 'source'>
  readonly flags: readonly CandleFlag[]
  /** Fields by the names of the header, as they stand there. */
  readonly fields: ReadonlyMap<string, string>
}

const NEEDED = ['ticker', 'time', 'open', 'high', 'low', 'close', 'volume'] as const
/** What other programs call them. */
const OTHER_NAMES: Readonly<Record<string, string>> = { symbol: 'ticker', date: 'time', datetime: 'time' }
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

// The same for a whole file.
let lastHeader: { text: string; names: readonly string[] } | undefined

function columnsOf(text: string): readonly string[] {
  if (lastHeader?.text !== text) {
    const names = splitCsv(text).map((name) => name.trim().toLowerCase())
    lastHeader = { text, names: names.map((name) => OTHER_NAMES[name] ?? name) }
  }
  return lastHeader.names
}

/** Of a header, for a person; undefined when nothing is. */
export function wrongWithHeader(header: string): string | undefined {
  const names = columnsOf(header)
  const missing = NEEDED.filter((name) => !names.includes(name))
  if (missing.length > 0) {
    return `its header has no ${missing.join(', ')}; needed: ${NEEDED.join(', ')}, separated by commas`
  }
  const twice = NEEDED.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
  return twice && `its header has two columns for ${twice}`
}

/**
 * @param header nothing is wrong with it.
 * @param power by which prices are scaled, as a power of ten; indices are not.
 */
export function readCandleLine(line: string, header: string, power: number): ReadLine | RefusedLine {
  const names = columnsOf(header)
  const values = splitCsv(line)
  const fields = new Map(names.map((name, i) => [name, values[i]?.trim() ?? '']))
  const ticker = fields.get('ticker') ?? ''
  const timeText = fields.get('time') ?? ''
  const time = parseTime(timeText)
  const refused = (reason: CandleReason, detail: string): RefusedLine => ({
    ...{ reason, detail, time },
    symbol: ticker === '' ? undefined : ticker,
  })
  if (values.length !== names.length) {
    return refused('field_count', `${values.length} fields under a header of ${names.length}`)
  }
  if (!isAllowed('ticker', ticker)) return refused('missing_field', `the ticker is ${JSON.stringify(ticker)}`)
  if (time === undefined) {
    const allowed = 'YYYY-MM-DD, or with T or a space and HH:MM:SS behind it, and a zone'
    return refused('bad_time', `the time is ${JSON.stringify(timeText)}; allowed: ${allowed}`)
  }
  const numbers: number[] = []
  for (const name of NEEDED.slice(2)) {
    const text = fields.get(name)!
    const value = shifted(text, name === 'volume' || isIndex(ticker) ? 0 : power)
    const isNumber = NUMBER.test(text) && Number.isFinite(value) && (name !== 'volume' || value >= 0)
    if (!isNumber) return refused('bad_number', `the ${name} is ${JSON.stringify(text)}`)
    numbers.push(value)
  }
  const [open, high, low, close, volume] = numbers as [number, number, number, number, number]
  const bar = { ticker, time, open, high, low, close, volume }
  return { bar, flags: flagsOf(bar), fields }
}

export const isRefused = (line: ReadLine | RefusedLine): line is RefusedLine => 'reason' in line

function flagsOf({ open, high, low, close }: Pick<Bar, 'open' | 'high' | 'low' | 'close'>): CandleFlag[] {
  const flags: CandleFlag[] = []
  if (Math.min(open, high, low, close) <= 0) flags.push('non_positive')
  if (high < Math.max(open, close) || low > Math.min(open, close)) flags.push('inconsistent')
  return flags
}

/** What a flag means, for a person. */
export const FLAGS: Readonly<Record<CandleFlag, string>> = {
  non_positive: 'a price is zero or below',
  inconsistent: 'the high is below, or the low above, the open or the close',
}

/** A day begins at midnight UTC of the date that is written, whatever hour and zone stand behind it. */
export const beginningOf = ({ bar, fields }: ReadLine, interval: Interval): number =>
  isDaily(interval) ? parseTime(fields.get('time')!.slice(0, 10))! : bar.time
