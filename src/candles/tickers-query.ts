// What GET /tickers may be asked: the parameters of the reference, read strictly. A parameter that is not understood is
// refused by name, because an answer to another question looks right.
import { SluiceError } from '../kernel/index.ts'
import { INTERVALS, type Interval } from './candle.ts'
import { parseTime } from './format-time.ts'
import { isAllowed } from './store-series.ts'

export const MODES = ['vn', 'crypto'] as const
export type TickersMode = (typeof MODES)[number]

export interface TickersRequest {
  /** As asked, each once; empty for all that there are. */
  readonly symbols: readonly string[]
  readonly interval: Interval
  /** ms UTC, inclusive. */
  readonly from: number | undefined
  /** ms UTC, exclusive. */
  readonly to: number | undefined
  /** Rows of each symbol, the newest. */
  readonly limit: number
  /** Prices of shares in thousands, and times with a space. */
  readonly legacy: boolean
  readonly format: 'json' | 'csv'
  /** Whether the answer may come out of a cache. */
  readonly cache: boolean
  readonly mode: TickersMode
  /** Default: that of the mode. */
  readonly source: string | undefined
}

/** As HTTP servers give it: a parameter that is repeated is a list. */
export type TickersQuery = Readonly<Record<string, unknown>>

/** Trading days of a year. */
const LIMIT_DEFAULT = 252
const LIMIT_MAX = 10_000
const SYMBOLS_MAX = 1_000
const DAY_MS = 86_400_000

const OTHER_INTERVALS: Readonly<Record<string, Interval>> = {
  ...{ '1H': '1h', daily: '1D', hourly: '1h', minute: '1m' },
}
const OTHER_MODES: Readonly<Record<string, TickersMode>> = { stock: 'vn', stocks: 'vn', cryptos: 'crypto' }

/** Throws REQUEST_INVALID. */
export function parseTickers(query: TickersQuery): TickersRequest {
  const from = dateOf(query, 'start_date')
  const last = dateOf(query, 'end_date')
  if (from !== undefined && last !== undefined && from > last) {
    throw refused('start_date', query['start_date'], 'a day that is not behind end_date')
  }
  return {
    symbols: symbolsOf(query['symbol']),
    interval: choiceOf(query, 'interval', INTERVALS, OTHER_INTERVALS) ?? '1D',
    from,
    to: last === undefined ? undefined : last + DAY_MS,
    limit: limitOf(query['limit']),
    legacy: choiceOf(query, 'legacy', BOOLEANS) === 'true',
    format: choiceOf(query, 'format', ['json', 'csv']) ?? 'json',
    cache: choiceOf(query, 'cache', BOOLEANS) !== 'false',
    mode: choiceOf(query, 'mode', MODES, OTHER_MODES) ?? 'vn',
    source: sourceOf(query['source']),
  }
}

const BOOLEANS = ['true', 'false'] as const

function symbolsOf(given: unknown): string[] {
  if (given === undefined) return []
  const symbols = [...new Set(Array.isArray(given) ? given : [given])]
  if (symbols.length > SYMBOLS_MAX)
    throw refused('symbol', `${symbols.length} symbols`, `at most ${SYMBOLS_MAX}`)
  return symbols.map((symbol) => {
    if (typeof symbol === 'string' && isAllowed('ticker', symbol)) return symbol
    throw refused('symbol', symbol, 'a ticker of up to 64 characters; several as symbol=A&symbol=B')
  })
}

function sourceOf(given: unknown): string | undefined {
  if (given === undefined || (typeof given === 'string' && isAllowed('source', given))) return given
  throw refused('source', given, 'the name of a source')
}

function dateOf(query: TickersQuery, name: string): number | undefined {
  const given = query[name]
  if (given === undefined) return undefined
  const time = typeof given === 'string' && given.length === 10 ? parseTime(given) : undefined
  if (time !== undefined) return time
  throw refused(name, given, 'a day as YYYY-MM-DD')
}

function limitOf(given: unknown): number {
  if (given === undefined) return LIMIT_DEFAULT
  const limit = typeof given === 'string' && /^\d{1,5}$/.test(given) ? Number(given) : 0
  if (limit >= 1 && limit <= LIMIT_MAX) return limit
  throw refused('limit', given, `a whole number from 1 to ${LIMIT_MAX}`)
}

function choiceOf<const T extends string>(
  query: TickersQuery,
  name: string,
  allowed: readonly T[],
  others: Readonly<Record<string, T>> = {},
): T | undefined {
  const given = query[name]
  if (given === undefined) return undefined
  const known = allowed.find((one) => one === given)
  if (known !== undefined) return known
  if (typeof given === 'string' && Object.hasOwn(others, given)) return others[given]
  throw refused(name, given, [...allowed, ...Object.keys(others)].join(', '))
}

const refused = (name: string, given: unknown, allowed: string) => {
  const shown = (JSON.stringify(given) ?? String(given)).slice(0, 60)
  return new SluiceError('REQUEST_INVALID', `${name} is ${shown}; allowed: ${allowed}.`, { [name]: shown })
}
