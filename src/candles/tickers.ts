// GET /tickers without the server: the database answers, and the files only when it fails and only where that is
// allowed. The reference asked the files also when nothing was found, and never said so, so that a broken database
// could stay unseen for ever: here each answer names its store.
import { setImmediate } from 'node:timers/promises'
import { type ErrorCode, isSluiceError, messageOf, SluiceError } from '../kernel/index.ts'
import { parseTickers, type TickersMode, type TickersQuery, type TickersRequest } from './tickers-query.ts'
import { type Readable, readTickers, type TickersFound } from './tickers-read.ts'
import { type Turn, tickersCsv, tickersJson } from './tickers-rows.ts'

export interface TickersOptions {
  /** The store that answers: the database, or in the phases in which they still count, the files. */
  readonly sql: Readable
  /** Answers when the database fails. Left out where FALLBACK_TO_CSV is false, or the files are not kept any more. */
  readonly csv?: Readable | undefined
  /** What the bars of a mode stand under. Default: the name of the mode. */
  readonly sources?: Readonly<Record<TickersMode, string>>
  /** How long an answer of a mode may be kept now, s. */
  readonly maxAgeSeconds: (mode: TickersMode) => number
  /** Asked between pieces of the work; default: it is. */
  readonly isWanted?: () => boolean
  /** The files answered in place of the database. */
  readonly onFallback?: (error: unknown) => void
}

export interface TickersAnswer {
  readonly contentType: string
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** How many candles there are in it. */
  readonly rows: number
}

/** The store that has answered. */
const STORE_HEADER = 'x-candle-store'
/** Why it was not the database: a code of docs/ERRORS.md. */
const PROBLEM_HEADER = 'x-candle-store-problem'

/** Rejects with REQUEST_INVALID, also when it is not wanted any more, or with the error of the database when no store can answer. */
export async function answerTickers(query: TickersQuery, options: TickersOptions): Promise<TickersAnswer> {
  const request = parseTickers(query)
  const source = request.source ?? options.sources?.[request.mode] ?? request.mode
  const { isWanted = () => true } = options
  const turn: Turn = async () => {
    await setImmediate()
    if (!isWanted()) throw new SluiceError('REQUEST_INVALID', 'Whoever asked did not wait.')
  }
  const { found, problem } = await readEither(options, source, request, turn)
  const rows = [...found.values()].reduce((sum, candles) => sum + candles.length, 0)
  const isKept = request.cache && problem === undefined
  const headers = {
    'cache-control': isKept ? `max-age=${options.maxAgeSeconds(request.mode)}` : 'no-store',
    [STORE_HEADER]: problem === undefined ? (options.sql.name ?? 'sql') : 'csv',
    ...(problem !== undefined && { [PROBLEM_HEADER]: problem }),
  }
  if (request.format === 'json') {
    const body = await tickersJson(found, request, turn)
    return { contentType: 'application/json; charset=utf-8', headers, body, rows }
  }
  const name = `attachment; filename="tickers_${request.interval}.csv"`
  return {
    contentType: 'text/csv; charset=utf-8',
    headers: { ...headers, 'content-disposition': name },
    body: await tickersCsv(found, request, turn),
    rows,
  }
}

/** What a database says that cannot answer; anything else is a fault that must show. */
const FAILURES = [
  ...(['DATABASE_UNAVAILABLE', 'DATABASE_BUSY', 'DATABASE_INVALID', 'MIGRATION_PENDING'] as const),
  'CACHE_OVERLOADED',
] as const

async function readEither(
  { sql, csv, onFallback }: TickersOptions,
  source: string,
  request: TickersRequest,
  turn: Turn,
): Promise<{ found: TickersFound; problem?: string }> {
  try {
    return { found: await readTickers(sql, source, request, turn) }
  } catch (error) {
    const failure = FAILURES.find((code) => isSluiceError(error, code))
    if (!csv || !failure) throw error
    const found = await readTickers(csv, source, request, turn).catch((second: unknown) => {
      throw isSluiceError(second, 'REQUEST_INVALID') ? second : bothFailed(failure, error, second)
    })
    onFallback?.(error)
    return { found, problem: failure }
  }
}

function bothFailed(code: ErrorCode, error: unknown, second: unknown): SluiceError {
  const message = `${messageOf(error)} The files did not answer either: ${messageOf(second)}`
  return new SluiceError(code, message, {}, error)
}
