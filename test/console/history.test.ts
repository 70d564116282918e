// The history routes over real day files: pages that follow each other, three formats, limits, and who may ask how much.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { JOB_PREFIX, JOBS } from '../../src/catalog/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import type { Tick } from '../../src/ticks/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type RunningConsole, startConsole } from './running-console.ts'

let redis: TestRedis
let jobs: Jobs<typeof JOBS>
let gateway: RunningConsole

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
      history: {
        async ticks({ symbol, from, to, limit, after, source }) {
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
        tickSeries: async () => [
          {
            day: '2026-01-19',
            symbol: 'BTC/USDT',
            source: 'alpha',
            ticks: 834,
            first: NOON,
            last: NOON + 1_249,
          },
        ],
        bars: async ({ symbol, interval, limit }) =>
          Array.from({ length: Math.min(limit, 3) }, (_, i) => ({
            ...{ source: 'alpha', ticker: symbol, interval, time: NOON + i * 60_000 },
            ...{ open: 1, high: 2, low: 0.5, close: 1.5, volume: 10 },
          })),
        tickers: async (query) => ({
          contentType: 'application/json',
          headers: { 'x-asked': String(query['symbol']) },
          body: '{"VCB":[]}',
        }),
      },
    },
  )
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
    const ask = (path: string, body: unknown) =>
      gateway.get(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    const response = await ask('/api/history/ticks/bulk', {
      symbols: ['BTC/USDT', 'NONE'],
      from: NOON,
      to: NOON + 10_000,
      limit: 5,
    })
    const { ticks: lists } = (await response.json()) as { ticks: Record<string, unknown[]> }
    expect(Object.entries(lists).map(([symbol, list]) => [symbol, list.length])).toEqual([
      ['BTC/USDT', 5],
      ['NONE', 0],
    ])
    expect((await ask('/api/history/ticks', {})).status).toBe(405)
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

  it('tells what there is', async () => {
    const of = async (path: string) => (await gateway.get(path)).json()
    expect(await of('/api/history/symbols')).toEqual({ symbols: ['BTC/USDT'] })
    expect(await of('/api/history/info')).toMatchObject({ ticks: 834, days: 1, sources: ['alpha'] })
    expect(await of('/api/history/available')).toMatchObject({ series: [{ day: '2026-01-19' }] })
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

it('a client that asks for too much is told to wait, and others are not', async () => {
  const asked = await Promise.all(
    Array.from({ length: 130 }, () => gateway.get('/ticks?symbol=BTC/USDT&limit=1')),
  )
  const refused = asked.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await gateway.get('/api/status')).status).toBe(200)
})
