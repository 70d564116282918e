// A line of CSV under a header as a funding rate. What cannot be read is refused with its reason.
import { FIRST_FUNDING, type FundingRow, rateText, settlementOf, symbolName } from '../catalog/index.ts'
import { splitCsv } from '../imports/index.ts'
import { exactText, isoTime } from '../kernel/index.ts'
import { readTime } from './import-time.ts'

export interface RefusedLine {
  /** docs/IMPORT.md lists them. */
  readonly reason: 'field_count' | 'missing_field' | 'bad_number' | 'bad_time'
  readonly detail: string
  readonly symbol?: string | undefined
}

export interface LineRules {
  readonly venue: string
  /** Of times that name no zone, minutes; undefined where nobody has said. */
  readonly utcOffset: number | undefined
  /** Of rows that do not say it. */
  readonly intervalHours: number | undefined
  /** ms UTC: settlements of two days ahead are allowed. */
  readonly now: number
}

const NEEDED = ['symbol', 'time', 'rate'] as const
/** What other programs call them, without spaces and underscores. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  ...{ date: 'time', datetime: 'time', timestamp: 'time', fundingtime: 'time' },
  ...{ fundingrate: 'rate', interval: 'intervalhours', fundinginterval: 'intervalhours' },
}
const AHEAD_MAX_MS = 2 * 86_400_000
const INTERVAL_MAX_HOURS = 24

// The same for a whole file.
let lastHeader: { text: string; names: readonly string[] } | undefined

function columnsOf(text: string): readonly string[] {
  if (lastHeader?.text !== text) {
    const names = splitCsv(text).map((name) => name.toLowerCase().replaceAll(/[\s_]/g, ''))
    lastHeader = { text, names: names.map((name) => OTHER_NAMES[name] ?? name) }
  }
  return lastHeader.names
}

/** Of a header, for a person; undefined when nothing is. */
export function wrongWithHeader(header: string): string | undefined {
  const names = columnsOf(header)
  const missing = NEEDED.filter((name) => !names.includes(name))
  if (missing.length > 0) {
    return `its header has no ${missing.join(', ')}; needed: Symbol, Date and Funding Rate, separated by commas`
  }
  const twice = NEEDED.find((name) => names.indexOf(name) !== names.lastIndexOf(name))
  return twice && `its header has two columns for ${twice}`
}

/** Thrown within this file only. */
class Refused extends Error {
  readonly line: RefusedLine
  constructor(reason: RefusedLine['reason'], detail: string) {
    super(detail)
    this.line = { reason, detail }
  }
}

/** @param header nothing is wrong with it. */
export function readFundingLine(line: string, header: string, rules: LineRules): FundingRow | RefusedLine {
  const names = columnsOf(header)
  const values = splitCsv(line)
  if (values.length !== names.length) {
    return {
      reason: 'field_count',
      detail: `${values.length} fields; the header has ${names.length}`,
    }
  }
  const fields = new Map(names.map((name, i) => [name, values[i]!.trim()]))
  const given = fields.get('symbol')!
  const symbol = given.toUpperCase().replace(/[-_]/, '/')
  try {
    if (!symbolName.safeParse(symbol).success) {
      throw new Refused('missing_field', `symbol ${JSON.stringify(given)} is not BASE/QUOTE`)
    }
    const fundingTime = timeOf(fields.get('time')!, rules)
    const intervalHours = intervalOf(fields.get('intervalhours')) ?? rules.intervalHours ?? null
    return {
      ...{ venue: rules.venue, symbol, fundingTime, rate: rateOf(fields.get('rate')!), intervalHours },
      markPrice: priceOf('mark price', fields.get('markprice')),
      indexPrice: priceOf('index price', fields.get('indexprice')),
      // It is known from the settlement on; the time of the import would make other rows of each import.
      ...{ nextFundingTime: null, updatedAt: fundingTime },
    }
  } catch (error) {
    if (error instanceof Refused) return { ...error.line, symbol }
    throw error
  }
}

export const isRefused = (line: FundingRow | RefusedLine): line is RefusedLine => 'reason' in line

function timeOf(text: string, { utcOffset, now }: LineRules): number {
  const read = readTime(text, utcOffset)
  if (typeof read === 'string') throw new Refused('bad_time', `time ${JSON.stringify(text)} ${read}`)
  const time = settlementOf(read)
  if (time >= FIRST_FUNDING && time <= now + AHEAD_MAX_MS) return time
  throw new Refused('bad_time', `${isoTime(time)} is before 2016 or more than two days ahead`)
}

function rateOf(text: string): string {
  const rate = rateText.safeParse(exactText(text))
  if (rate.success) return rate.data
  throw new Refused('bad_number', `rate ${JSON.stringify(text)} is no number from -1 to 1`)
}

function priceOf(name: string, text: string | undefined): string | null {
  if (text === undefined || text === '') return null
  const price = exactText(text)
  if (price !== undefined && Number(price) > 0) return price
  throw new Refused('bad_number', `${name} ${JSON.stringify(text)} is no number above zero`)
}

function intervalOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const hours = Number(/^(\d+(?:\.\d+)?)h?$/.exec(text)?.[1])
  if (hours > 0 && hours <= INTERVAL_MAX_HOURS) return hours
  throw new Refused('bad_number', `interval ${JSON.stringify(text)} is not above 0 and up to 24 hours`)
}
