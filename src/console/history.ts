// What was: ticks, bars and candles, a page at a time. The addresses and parameters are those of the systems that
// this one replaces (docs/API.md), each with a limit, because a day of one symbol may be a million ticks.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Clock, openLine, SluiceError } from '../kernel/index.ts'
import {
  TICK_CSV_HEADER,
  type Tick,
  type TickCursor,
  type TickQuery,
  tickCsv,
  tickJson,
} from '../ticks/index.ts'
import type { History } from './answers.ts'
import { ANSWER_WITHIN_MS, within } from './ask.ts'
import { overviews } from './overviews.ts'
import { parameters } from './parameters.ts'
import type { Throttle } from './throttle.ts'
import { ticksBinary } from './tick-formats.ts'
import { openUnread } from './unread.ts'

const PAGE_SIZE_DEFAULT = 1_000
const PAGE_SIZE_MAX = 10_000
// A page is found by walking over those in front of it; whoever wants more follows `next`.
const PAGE_MAX = 100
const DAY_MS = 86_400_000
const BULK_SYMBOLS_MAX = 50
const BULK_BYTES_MAX = 8_192
// 10,000 of each of 50 symbols were 122 MB of JSON, which held the loop for 641 ms at least; one symbol is 31 ms at most.
const BULK_TICKS_MAX = 50_000

// Each takes turns of the loop: with 200 at once no bulk request was answered in time, and /live waited 17 s (2 busy cores).
const READS_AT_ONCE = 4
const [TICKS, CANDLES] = ['The tick store', 'The candles']
const GONE = 'Whoever asked did not wait.'
// 50 symbols of 1,000 ticks are as many tokens.
const ROWS_A_TOKEN = 1_000

const symbol = z.string().min(1).max(64)
const moment = z.union([
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  z
    .string()
    .regex(/^\d{10,15}$/, 'ms since 1970, or an ISO time with its zone')
    .transform(Number),
])
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(z.int().min(min).max(max))

const span = { from: moment.optional(), to: moment.optional(), source: z.string().min(1).max(64).optional() }
const pageOf = z.strictObject({
  ...span,
  symbol: symbol.optional(),
  format: z.enum(['json', 'csv', 'binary']).default('json'),
  page: whole(1, PAGE_MAX).default(1),
  page_size: whole(1, PAGE_SIZE_MAX).default(PAGE_SIZE_DEFAULT),
  after: z.string().max(200).optional(),
})
type PageQuery = z.output<typeof pageOf>
type SymbolQuery = PageQuery & { readonly symbol: string }
const recentOf = z.strictObject({
  symbol,
  source: span.source,
  limit: whole(1, PAGE_SIZE_MAX).default(100),
})
const TIMEFRAMES = { M1: '1m', M5: '5m', M15: '15m', H1: '1h', H4: '4h', D1: '1D' } as const
const ohlcOf = z.strictObject({
  symbol,
  source: span.source,
  timeframe: z.enum(Object.keys(TIMEFRAMES) as [keyof typeof TIMEFRAMES]).default('M1'),
  limit: whole(1, PAGE_SIZE_MAX).default(500),
})
const bulkOf = z.strictObject({
  symbols: z.array(symbol).min(1).max(BULK_SYMBOLS_MAX),
  from: z.union([z.int().positive(), moment]).optional(),
  to: z.union([z.int().positive(), moment]).optional(),
  source: span.source,
  limit: z.int().min(1).max(PAGE_SIZE_MAX).default(PAGE_SIZE_DEFAULT),
})

/** Answered to POST without a token: it reads. */
export const READING_PATHS: ReadonlySet<string> = new Set(['/api/history/ticks/bulk'])

export interface HistoryOptions {
  readonly clock: Clock
  readonly throttle: Throttle
}

export function history(server: FastifyInstance, by: History, { clock, throttle }: HistoryOptions): void {
  const unread = openUnread()
  const limits = (before = throttle.before()) => ({
    ...unread,
    preHandler: [before, unread.preHandler].flat(),
  })
  const limited = limits()
  const line = openLine(READS_AT_ONCE)
  const read = <T>(reply: FastifyReply, what: string, ask: (wanted: () => boolean) => Promise<T>) =>
    within(clock, ANSWER_WITHIN_MS, what, async () => {
      const leave = await line.enter()
      try {
        if (!isWanted(reply)) throw new SluiceError('REQUEST_INVALID', GONE)
        throttle.demandPaid(reply)
        return await ask(() => isWanted(reply))
      } finally {
        leave?.()
      }
    })
  server.get('/ticks', limited, async ({ query }, reply) => {
    const { symbol, source, limit } = parameters(recentOf, query)
    return (await read(reply, TICKS, () => by.recentTicks(symbol, limit, source))).map(tickJson)
  })
  server.get('/ohlc', limited, async ({ query }, reply) => {
    const { timeframe, ...asked } = parameters(ohlcOf, query)
    const interval = TIMEFRAMES[timeframe]
    const bars = await read(reply, CANDLES, () => by.bars({ ...asked, interval }))
    return bars.map(({ time, open, high, low, close, volume }) => ({
      ...{ time: time / 1_000, open, high, low, close, volume },
    }))
  })
  server.get('/tickers', limited, async (request, reply) => {
    const query = request.query as Record<string, unknown>
    const answer = await read(reply, CANDLES, async (isWanted) => {
      const found = await by.tickers(query, isWanted)
      // Before the place is given on: who asks for much at once must not get all of it for one token each.
      throttle.charge(request, Math.max(0, Math.ceil(found.rows / ROWS_A_TOKEN) - 1))
      return found
    })
    return reply.headers(answer.headers).type(answer.contentType).send(answer.body)
  })
  const answerPage = async (given: object, reply: FastifyReply) => {
    const { symbol, ...more } = parameters(pageOf, given)
    if (symbol === undefined) throw new SluiceError('REQUEST_INVALID', 'symbol is missing.')
    const asked = { ...more, symbol }
    return sendPage(
      reply,
      asked,
      await read(reply, TICKS, (isWanted) => readPage(by, asked, clock, isWanted)),
    )
  }
  server.get('/api/history/ticks', limited, ({ query }, reply) => answerPage(query as object, reply))
  server.get('/api/history/ticks/:symbol', limited, ({ query, params }, reply) =>
    answerPage({ ...(query as object), ...(params as object) }, reply),
  )
  const bulk = { ...limits(throttle.before(symbolsIn)), bodyLimit: BULK_BYTES_MAX }
  server.post('/api/history/ticks/bulk', bulk, async ({ body }, reply) => {
    const asked = parameters(bulkOf, body)
    const json = await read(reply, TICKS, (isWanted) => bulkJson(by, asked, clock, isWanted))
    return reply.type('application/json; charset=utf-8').send(json)
  })
  overviews(server, by, { clock, throttle: limited })
}

/** False once it was answered otherwise, or nobody is there any more: what it was read for is not needed. */
const isWanted = (reply: FastifyReply) => !reply.sent && !reply.raw.destroyed

/** What a request for many symbols costs; nobody has looked at its body yet. */
function symbolsIn({ body }: FastifyRequest): number {
  const given = (body as { symbols?: unknown } | null | undefined)?.symbols
  return Array.isArray(given) ? Math.min(Math.max(new Set(given).size, 1), BULK_SYMBOLS_MAX) : 1
}

/** One symbol after the other, and each as text at once: the loop is held for one symbol, not for all. */
async function bulkJson(
  by: History,
  { symbols, limit, source, ...more }: z.output<typeof bulkOf>,
  clock: Clock,
  isWanted: () => boolean,
): Promise<string> {
  const names = [...new Set(symbols)]
  if (names.length * limit > BULK_TICKS_MAX) {
    const most = Math.floor(BULK_TICKS_MAX / names.length)
    throw new SluiceError(
      'REQUEST_INVALID',
      `limit is ${limit} for each of ${names.length} symbols; allowed: ${BULK_TICKS_MAX} ticks in one answer, ` +
        `so a limit of ${most}, or fewer symbols.`,
    )
  }
  const query = { ...spanOf(more, clock), limit, ...(source === undefined ? {} : { source }) }
  const lists: string[] = []
  for (const symbol of names) {
    if (!isWanted()) break
    const ticks = await by.ticks({ symbol, ...query })
    lists.push(`${JSON.stringify(symbol)}:${JSON.stringify(ticks.map(tickJson))}`)
  }
  return `{"ticks":{${lists.join()}}}`
}

interface Page {
  readonly ticks: readonly Tick[]
  readonly next: string | null
}

function spanOf({ from, to }: { from?: number | undefined; to?: number | undefined }, clock: Clock) {
  // A minute ahead: clocks of sources differ.
  const until = to ?? clock.now() + 60_000
  const since = from ?? until - DAY_MS
  if (since < until) return { from: since, to: until }
  throw new SluiceError('REQUEST_INVALID', `from (${since}) is not before to (${until}).`)
}

async function readPage(
  by: History,
  asked: SymbolQuery,
  clock: Clock,
  isWanted: () => boolean,
): Promise<Page> {
  const { symbol, page, page_size: size, source, after } = asked
  if (after !== undefined && page > 1) {
    throw new SluiceError(
      'REQUEST_INVALID',
      'after and page exclude each other; after names the place itself.',
    )
  }
  const query: TickQuery = { symbol, ...spanOf(asked, clock), ...(source === undefined ? {} : { source }) }
  let place = after === undefined ? undefined : cursorOf(after)
  for (let i = 1; ; i += 1) {
    const ticks = await by.ticks({ ...query, limit: size, ...(place === undefined ? {} : { after: place }) })
    const last = ticks.at(-1)
    const isFull = ticks.length === size && last !== undefined
    if (i === page) return { ticks, next: isFull ? textOfCursor(last) : null }
    if (!isFull || !isWanted()) return { ticks: [], next: null }
    place = last
  }
}

function sendPage(reply: FastifyReply, { symbol, format, page, page_size }: SymbolQuery, found: Page) {
  const { ticks, next } = found
  if (next !== null) reply.header('x-next', next)
  if (format === 'csv') {
    return reply.type('text/csv; charset=utf-8').send(TICK_CSV_HEADER + ticks.map(tickCsv).join(''))
  }
  if (format === 'binary') return reply.type('application/octet-stream').send(ticksBinary(symbol, ticks))
  return reply.send({ symbol, page, page_size, count: ticks.length, next, ticks: ticks.map(tickJson) })
}

const textOfCursor = ({ time, nanos, sequence, source }: TickCursor) =>
  `${time}.${nanos}.${sequence}.${source}`

function cursorOf(text: string): TickCursor {
  const match = /^(\d{1,15})\.(\d{1,6})\.(\d{1,10})\.(.{1,64})$/.exec(text)
  if (!match) throw new SluiceError('REQUEST_INVALID', 'after is not a place; allowed: the `next` of a page.')
  const [, time, nanos, sequence, source] = match
  return { time: Number(time), nanos: Number(nanos), sequence: Number(sequence), source: source! }
}
