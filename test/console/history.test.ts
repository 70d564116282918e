// The history routes over real day files: pages that follow each other, three formats, limits, and who may ask how much.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { JOB_PREFIX, JOBS } from '../../src/catalog/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import type { Tick } from '../../src/ticks/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type RunningConsole, startConsole } from './running-console.ts'

let redis: TestRedis
let jobs: Jobs<typeof JOBS>
let gateway: RunningConsole
let asked = { series: 0, symbols: [] as string[] }
/** The clock; moved on before each test: buckets are full again, and nothing is kept of what was asked before. */
let laterMs = 0
const clock = { ...systemClock, monotonic: () => laterMs }
let held = Promise.withResolvers<void>()

const NOON = Date.UTC(2026, 0, 19, 12)

const tick = (n: number): Tick => ({
  symbol: 'BTC/USDT',
  source: n % 3 === 0 ? 'alpha' : 'be,ta',
  time: NOON + Math.floor(n / 2),
  nanos: 268_500,
  sequence: n % 2,
  bid: 64_000 + n / 8,
  ask: 64_000.5 + n / 8,
  bidSize: n % 5 === 0 ? undefined : 1.5,
  askSize: 2,
  volume: 0,
  flags: 1,
  broker: '',
})

const byPlace = (a: Tick, b: Tick) =>
  a.time - b.time ||
  a.nanos - b.nanos ||
  (a.source < b.source ? -1 : a.source > b.source ? 1 : a.sequence - b.sequence)
const ticks = Array.from({ length: 2_500 }, (_, n) => tick(n)).sort(byPlace)

beforeAll(async () => {
  redis = await startRedis()
  const log = openLog({ level: 'silent', name: 'test' })
  jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
  gateway = await startConsole(
    jobs,
    {},
    {
      clock,
      history: {
        async ticks({ symbol, from, to, limit, after, source }) {
          asked.symbols.push(symbol)
          if (symbol === 'HELD') await held.promise
          const found = ticks.filter(
            (one) =>
              one.symbol === symbol &&
              one.time >= from &&
              one.time < to &&
              (source === undefined || one.source === source) &&
              (after === undefined || byPlace(one, after as Tick) > 0),
          )
          return found.slice(0, limit)
        },
        recentTicks: async (symbol, count) => ticks.filter((one) => one.symbol === symbol).slice(-count),
        async tickSeries() {
          asked.series++
          const range = { first: NOON, last: NOON + 1_249 }
          return [{ day: '2026-01-19', symbol: 'BTC/USDT', source: 'alpha', ticks: 834, ...range }]
        },
        bars: async ({ symbol, interval, limit }) =>
          Array.from({ length: Math.min(limit, 3) }, (_, i) => ({
            ...{ source: 'alpha', ticker: symbol, interval, time: NOON + i * 60_000 },
            ...{ open: 1, high: 2, low: 0.5, close: 1.5, volume: 10 },
          })),
        tickers: async (query) => ({
          contentType: 'application/json',
          headers: { 'x-asked': String(query['symbol']) },
          body: '{"VCB":[]}',
          rows: Number(query['limit'] ?? 0),
        }),
      },
    },
  )
})
beforeEach(() => {
  laterMs += 60_000
  asked = { series: 0, symbols: [] }
  held = Promise.withResolvers()
})
afterAll(async () => {
  await gateway.stop()
  await jobs.close()
  await redis.stop()
})

interface Page {
  readonly next: string | null
  readonly ticks: readonly Record<string, unknown>[]
}
const RANGE = `from=${NOON}&to=${NOON + 10_000}`
const page = async (more: string) =>
  (await (await gateway.get(`/api/history/ticks/BTC%2FUSDT?${RANGE}&${more}`)).json()) as Page

const BULK = '/api/history/ticks/bulk'
const post = (path: string, body: unknown, signal?: AbortSignal) =>
  gateway.get(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })
const names = (count: number) => Array.from({ length: count }, (_, i) => `S${i}`)
const overview = (name: string) => `/api/history/${name}`

describe('the history of ticks', () => {
  it('gives every tick once and in order over the pages that `next` names', async () => {
    const seen: string[] = []
    let after = ''
    for (;;) {
      const { ticks, next } = await page(`page_size=400${after && `&after=${encodeURIComponent(after)}`}`)
      seen.push(...ticks.map((one) => `${one['timestamp']} ${one['lp']} ${one['sequence']} ${one['bid']}`))
      if (next === null) break
      after = next
    }
    expect(seen).toEqual(
      ticks.map(
        ({ time, source, sequence, bid }) =>
          `${new Date(time).toISOString().slice(0, -1)}268500Z ${source} ${sequence} ${bid}`,
      ),
    )
  })

  it('gives the same by page number, and an empty page behind the last', async () => {
    const third = await page('page=3&page_size=1000')
    expect(third.ticks).toHaveLength(500)
    expect(third.next).toBeNull()
    expect((await page('page=4&page_size=1000')).ticks).toEqual([])
  })

  it('quotes a source with a comma in CSV, and leaves an unknown size empty', async () => {
    const response = await gateway.get(`/api/history/ticks?symbol=BTC/USDT&${RANGE}&format=csv&page_size=3`)
    expect(response.headers.get('content-type')).toContain('text/csv')
    const [header, first, second] = (await response.text()).split('\n')
    expect(header).toBe('timestamp,symbol,lp,sequence,bid,ask,bid_size,ask_size,volume,flags,broker_id')
    expect(first).toBe('2026-01-19T12:00:00.000268500Z,BTC/USDT,alpha,0,64000,64000.5,,2,0,1,')
    expect(second).toContain(',"be,ta",')
  })

  it('answers binary records that hold every bit', async () => {
    const response = await gateway.get(
      `/api/history/ticks?symbol=BTC/USDT&${RANGE}&format=binary&page_size=10`,
    )
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(bytes.toString('latin1', 0, 4)).toBe('STK1')
    const headerBytes = bytes.readUInt32LE(4)
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes))
    expect(header).toMatchObject({ symbol: 'BTC/USDT', count: 10, recordBytes: 64 })
    for (const [i, one] of ticks.slice(0, 10).entries()) {
      const at = 8 + headerBytes + i * 64
      expect(bytes.readDoubleLE(at)).toBe(one.time)
      expect(header.sources[bytes.readUInt32LE(at + 16)]).toBe(one.source)
      expect(bytes.readDoubleLE(at + 24)).toBe(one.bid)
      expect(bytes.readDoubleLE(at + 40)).toEqual(one.bidSize ?? Number.NaN)
    }
  })

  it('answers several symbols at once to a POST that needs no token, and no other POST', async () => {
    const range = { from: NOON, to: NOON + 10_000 }
    const response = await post(BULK, { symbols: ['BTC/USDT', 'NONE'], ...range, limit: 5 })
    expect(response.headers.get('content-type')).toContain('application/json')
    const { ticks: lists } = (await response.json()) as { ticks: Record<string, unknown[]> }
    expect(Object.entries(lists).map(([symbol, list]) => [symbol, list.length])).toEqual([
      ['BTC/USDT', 5],
      ['NONE', 0],
    ])
    expect((await post('/api/history/ticks', {})).status).toBe(405)
  })

  it('refuses more ticks in one answer than it may have, and says how many that is', async () => {
    const response = await post(BULK, { symbols: names(50), limit: 1_001 })
    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(/50000 ticks in one answer, so a limit of 1000/)
    expect(asked.symbols).toEqual([])
    expect((await post(BULK, { symbols: names(50), limit: 1_000 })).status).toBe(200)
  })

  it('counts a request for many symbols as so many requests', async () => {
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await post(BULK, { symbols: names(45) })).status)
    expect(statuses).toEqual([200, 200, 429])
    expect((await gateway.get('/ticks?symbol=BTC/USDT')).status).toBe(200)
  })

  it('reads for four at once, and the others in line', async () => {
    const answers = Array.from({ length: 6 }, () => gateway.get('/api/history/ticks?symbol=HELD'))
    await eventually(() => asked.symbols.length >= 4)
    for (let i = 0; i < 3; i++) await gateway.get('/live')
    expect(asked.symbols).toHaveLength(4)
    held.resolve()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(6).fill(200))
    expect(asked.symbols).toHaveLength(6)
  })

  it('reads on for nobody who has gone', async () => {
    const leaving = new AbortController()
    const gone = post(BULK, { symbols: ['HELD', ...names(40)] }, leaving.signal).catch(() => 'gone')
    await eventually(() => asked.symbols.includes('HELD'))
    leaving.abort()
    expect(await gone).toBe('gone')
    // Answered behind the end of the other connection.
    for (let i = 0; i < 3; i++) await gateway.get('/live')
    held.resolve()
    await page('page_size=1')
    expect(asked.symbols).toEqual(['HELD', 'BTC/USDT'])
  })

  it('names what is wrong with a request', async () => {
    const wrong = async (path: string) => {
      const response = await gateway.get(path)
      expect(response.status, path).toBe(400)
      return ((await response.json()) as { error: { message: string } }).error.message
    }
    expect(await wrong('/api/history/ticks')).toMatch(/symbol is missing/)
    expect(await wrong('/api/history/ticks?symbol=A&page_size=10001')).toMatch(/page_size/)
    expect(await wrong('/api/history/ticks?symbol=A&from=yesterday')).toMatch(/from/)
    expect(await wrong(`/api/history/ticks?symbol=A&from=${NOON}&to=${NOON}`)).toMatch(/is not before to/)
    expect(await wrong('/api/history/ticks?symbol=A&after=x')).toMatch(/after is not a place/)
    expect(await wrong('/api/history/ticks?symbol=A&after=1.1.1.a&page=2')).toMatch(/exclude each other/)
    expect(await wrong('/api/history/ticks?symbol=A&pagesize=5')).toMatch(/pagesize/)
    expect(await wrong('/ticks')).toMatch(/symbol/)
    expect(await wrong('/ohlc?symbol=A&timeframe=M2')).toMatch(/timeframe/)
  })

  it('tells what there is, and how old that is, to many by one scan', async () => {
    const of = async (path: string) => (await gateway.get(path)).json()
    const [symbols, info, series] = await Promise.all(['symbols', 'info', 'available'].map(overview).map(of))
    expect(symbols).toEqual({ symbols: ['BTC/USDT'], ageMs: expect.any(Number) })
    expect(info).toMatchObject({ ticks: 834, days: 1, sources: ['alpha'], ageMs: expect.any(Number) })
    expect(series).toMatchObject({ series: [{ day: '2026-01-19' }], ageMs: expect.any(Number) })
    laterMs += 9_000
    expect(await of(overview('info'))).toMatchObject({ ageMs: 9_000 })
    expect(asked.series).toBe(1)
    laterMs += 2_000
    await of(overview('info'))
    expect(asked.series).toBe(2)
  })
})

describe('bars and candles', () => {
  it('are in seconds at /ohlc, as the replaced system had them', async () => {
    const bars = await (await gateway.get('/ohlc?symbol=BTC/USDT&timeframe=M1&limit=2')).json()
    expect(bars).toEqual([
      { time: NOON / 1_000, open: 1, high: 2, low: 0.5, close: 1.5, volume: 10 },
      { time: NOON / 1_000 + 60, open: 1, high: 2, low: 0.5, close: 1.5, volume: 10 },
    ])
  })

  it('pass /tickers on with its parameters, also a symbol that is given twice', async () => {
    const response = await gateway.get('/tickers?symbol=VCB&symbol=VIC')
    expect(response.headers.get('x-asked')).toBe('VCB,VIC')
    expect(await response.json()).toEqual({ VCB: [] })
  })
})

it('a client that asks for too much is told to wait by every route of the history, and by no other', async () => {
  const paths = ['/ticks?symbol=A', '/ohlc?symbol=A', '/tickers', '/api/history/ticks?symbol=A']
  const all = [...paths, ...['available', 'symbols', 'info'].map(overview)]
  const statusOf = async (path: string) => (await gateway.get(path)).status
  for (let i = 0; i < 100; i++) expect(await statusOf(all[i % all.length]!)).toBe(200)
  for (const path of all) expect(await statusOf(path), path).toBe(429)
  const bulk = await post(BULK, { symbols: names(50) })
  expect([bulk.status, bulk.headers.get('retry-after')]).toEqual([429, '5'])
  laterMs += 1_000
  for (let i = 0; i < 10; i++) expect(await statusOf(all[0]!)).toBe(200)
  expect(await statusOf(all[0]!)).toBe(429)
  expect(await statusOf('/api/status')).toBe(200)
})

it('a long answer of /tickers counts as several requests, as soon as it is known how long it is', async () => {
  const asked = () => gateway.get('/tickers?limit=45000')
  const status = async () => (await asked()).status
  expect([await status(), await status(), await status()]).toEqual([200, 200, 200])
  const refused = await asked()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '4'])
  laterMs += 4_000
  expect(await status()).toBe(200)
  // Of many at once only those are answered that came before the first had to be paid.
  laterMs += 60_000
  const answers = await Promise.all(Array.from({ length: 20 }, asked))
  const late = answers.filter((one) => one.status !== 200)
  expect(late.length).toBeGreaterThanOrEqual(14)
  for (const { status, headers } of late) {
    expect([status, Number(headers.get('retry-after'))]).toEqual([429, expect.any(Number)])
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
})
