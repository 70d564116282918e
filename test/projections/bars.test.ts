// Candles as readers of the replaced systems see them: sets that grow bar by bar and equal what a rebuild writes, and
// histories that live as long as their interval and the market's hours say.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OpenBus, openBus, outgoing } from '../../src/bus/index.ts'
import { type Bar, openSqlCandles, vietnamCalendar } from '../../src/candles/index.ts'
import {
  ALWAYS_OPEN,
  candleLifetimeMs,
  candlesChanged,
  PROJECTION_FAMILIES,
} from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { windowOf } from '../../src/projections/bar-keys.ts'
import { openBarSource } from '../../src/projections/bar-source.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { keysOf, openReader } from './rig.ts'

const GO_ON = new AbortController().signal
let reader: Awaited<ReturnType<typeof openReader>>
let bus: OpenBus
let test: TestDatabase
beforeAll(async () => {
  reader = await openReader()
  bus = openBus({ url: reader.server.url, clock: systemClock })
})
afterAll(async () => {
  await bus.close()
  await reader.close()
})
beforeEach(async () => {
  test = await openTestDatabase('sqlite')
  await reader.client.flushall()
})
afterEach(() => test.close())

const NOON = Date.UTC(2026, 0, 19, 12)
const MINUTE = 60_000
const bar = (n: number, more: Partial<Bar> = {}): Bar => ({
  ...{ source: 'alpha', ticker: 'BTC/USDT', interval: '1m', time: NOON + n * MINUTE },
  ...{ open: 1, high: 3 + n / 8, low: 0.5, close: 2, volume: 10, ...more },
})
const sql = () => openSqlCandles({ database: test.database, clock: systemClock })
const source = () =>
  openBarSource({
    ...{ writer: reader.writer, bus, database: test.database, clock: systemClock },
    ...{ families: new Set(PROJECTION_FAMILIES), hoursOf: () => ALWAYS_OPEN },
  })
let told = 0
async function write(...bars: Bar[]) {
  await sql().write(bars)
  for (const { source, ticker, interval, time } of bars) {
    const change = { source, ticker, ranges: [{ interval, from: time, to: time }] }
    const data = { ...change, kind: 'written', origin: 'bars' } as const
    await bus.publish([outgoing(candlesChanged, `c${told++}`, data)])
  }
}
async function purge(source: string, ticker: string) {
  await sql().purge(source, ticker, ['1m'])
  const change = { source, ticker, ranges: [{ interval: '1m' as const, from: NOON, to: NOON + 9 * MINUTE }] }
  const data = { ...change, kind: 'purged', origin: 'files' } as const
  await bus.publish([outgoing(candlesChanged, `c${told++}`, data)])
}
const members = (key: string) => reader.client.zrange(key, '0', '-1')

it('are there key by key', async () => {
  await write(
    bar(0),
    bar(1),
    bar(0, { interval: '1D', time: Date.UTC(2026, 0, 19) }),
    bar(0, { source: 'beta' }),
  )
  await source().rebuild(GO_ON)
  const { client } = reader
  const [first] = await members('ohlcv:alpha:BTC/USDT:1m')
  expect(first).toMatch(new RegExp(`^${NOON}\\|1\\|3\\|0\\.5\\|2\\|10\\|\\d{13}$`))
  expect(await client.zscore('ohlcv:alpha:BTC/USDT:1m', first!)).toBe(String(NOON))
  expect(await client.pttl('ohlcv:alpha:BTC/USDT:1m')).toBe(-1)
  const ohlc = { open: 1, high: 3, low: 0.5, close: 2, volume: 10 }
  // Of two sources the first in the alphabet, as GET /ohlc answers.
  expect((await members('ohlc:BTC/USDT:M1')).map((text) => JSON.parse(text))).toEqual([
    { time: NOON / 1_000, ...ohlc },
    { time: NOON / 1_000 + 60, ...ohlc, high: 3.125 },
  ])
  expect(JSON.parse((await client.get('meta:ticker_list'))!)).toEqual([
    { source: 'alpha', ticker: 'BTC/USDT' },
    { source: 'beta', ticker: 'BTC/USDT' },
  ])
  const rows = JSON.parse((await client.hget('snap:alpha:BTC/USDT:1m', '252:true'))!)
  expect(rows).toMatchObject([{ symbol: 'BTC/USDT', time: '2026-01-19T12:00:00' }, { close_changed: 0 }])
  const history = 'hist:BTC/USDT:2026-01-19:2026-01-19:1m'
  expect(JSON.parse((await client.get(history))!)).toHaveLength(2)
  expect(await client.pttl(history)).toBeGreaterThan(3_500_000)
  expect(await client.pttl('hist:BTC/USDT:2026-01-01:2026-12-31:1d')).toBeGreaterThan(86_000_000)
})

it('kept live are what a rebuild gives: new bars, bars that grow, corrections, and bars that are gone', async () => {
  const stop = new AbortController()
  await write(bar(0), bar(1))
  const keeping = source().keep(stop.signal)
  await eventually(async () => (await members('ohlcv:alpha:BTC/USDT:1m')).length === 2)
  await write(bar(2))
  await write(bar(2, { close: 2.5, high: 9, volume: 11 }), bar(0, { low: 0.25, volume: 12 }))
  await write(bar(0, { ticker: 'ETH/USDT' }))
  await eventually(async () => (await members('ohlc:ETH/USDT:M1')).length === 1)
  await purge('alpha', 'ETH/USDT')
  await eventually(
    async () => (await reader.client.exists('ohlc:ETH/USDT:M1', 'ohlcv:alpha:ETH/USDT:1m')) === 0,
  )
  await write(bar(0, { ticker: 'ETH/USDT' }))
  await eventually(async () => (await members('ohlc:ETH/USDT:M1')).length === 1)
  stop.abort()
  await keeping
  const closes = (await members('ohlcv:alpha:BTC/USDT:1m')).map((one) => one.split('|')[5])
  expect(closes).toEqual(['12', '10', '11'])
  // Histories are written every ten seconds at most.
  const plain = async () =>
    Object.entries(await keysOf(reader.client)).filter(([name]) => !name.startsWith('hist:'))
  const live = await plain()
  expect(live.length).toBeGreaterThan(6)
  await source().rebuild(GO_ON)
  expect(await plain()).toEqual(live)
  const all = await reader.client.keys('*')
  await reader.client.del(...all.filter((name) => !name.includes('{candles.changed')))
  await source().rebuild(GO_ON)
  expect(await plain()).toEqual(live)
})

it('of a ticker that several sources have are of one of them alone', async () => {
  const stop = new AbortController()
  const keeping = source().keep(stop.signal)
  const highs = async () => (await members('ohlc:BTC/USDT:M1')).map((text) => JSON.parse(text).high)
  await write(bar(0, { source: 'beta' }), bar(1, { source: 'beta' }))
  await eventually(async () => (await highs()).length === 2)
  await write(bar(1, { source: 'alpha', high: 7 }))
  await eventually(async () => (await highs()).join() === '7')
  await write(bar(2, { source: 'beta', high: 8 }))
  await eventually(async () => (await members('ohlcv:beta:BTC/USDT:1m')).length === 3)
  expect(await highs()).toEqual([7])
  await purge('alpha', 'BTC/USDT')
  await eventually(async () => (await highs()).join() === '3,3.125,8')
  stop.abort()
  await keeping
})

it('of two days far apart change these two histories, and of those between only what is there', async () => {
  const { client } = reader
  const nameOf = (day: string) => `hist:BTC/USDT:${day}:${day}:1m`
  const DAY = 24 * 60
  await sql().write([bar(-3 * DAY), bar(0)])
  // Of a day that has a bar and of one that has none, both not what they should be; of others, which are left alone.
  const old = ['2026-01-16', '2026-01-17']
  const others = [nameOf('2026-02-01'), nameOf('2026-01-17').replace('BTC', 'ETH'), 'hist:BTC/USDT:x:y:1m']
  for (const name of [...old.map(nameOf), ...others]) await client.set(name, 'old')
  const stop = new AbortController()
  const keeping = source().keep(stop.signal)
  await eventually(() => client.exists(nameOf('2026-01-19')))
  await sql().write([bar(0, { time: 0 })])
  const change = { source: 'alpha', ticker: 'BTC/USDT', kind: 'written', origin: 'files' } as const
  const ranges = [{ interval: '1m' as const, from: 0, to: NOON }]
  await bus.publish([outgoing(candlesChanged, `c${told++}`, { ...change, ranges })])
  await eventually(async () => (await client.get(nameOf('2026-01-16'))) !== 'old')
  await eventually(async () => (await client.exists(nameOf('2026-01-17'))) === 0)
  stop.abort()
  await keeping
  const written = ['1970-01-01', '2026-01-16', '2026-01-19'].map(nameOf)
  expect((await client.keys('hist:*')).sort()).toEqual([...written, ...others].sort())
  for (const name of written) expect(JSON.parse((await client.get(name))!)).toHaveLength(1)
  expect(await client.keys('projection:version:{hist:*')).toHaveLength(written.length + 1)
})

it('that were purged while nobody kept are gone with the next whole write, and no other key with them', async () => {
  const { client } = reader
  await write(bar(0), bar(0, { ticker: 'ETH/USDT' }))
  await source().rebuild(GO_ON)
  await client.zadd('ohlcv:alpha:ETH/USDT:7m', 1, 'made by a reader')
  await sql().purge('alpha', 'ETH/USDT', ['1m'])
  await source().rebuild(GO_ON)
  const names = (await client.keys('ohlc*')).sort()
  expect(names).toEqual(['ohlc:BTC/USDT:M1', 'ohlcv:alpha:BTC/USDT:1m', 'ohlcv:alpha:ETH/USDT:7m'])
})

it('that are purged while they are kept leave the list of tickers', async () => {
  const stop = new AbortController()
  await write(bar(0), bar(0, { ticker: 'ETH/USDT' }))
  const keeping = source().keep(stop.signal)
  const listed = async () => (await reader.client.get('meta:ticker_list')) ?? ''
  await eventually(async () => (await listed()).includes('ETH/USDT'))
  await purge('alpha', 'ETH/USDT')
  await eventually(async () => !(await listed()).includes('ETH/USDT'))
  expect(await listed()).toContain('BTC/USDT')
  stop.abort()
  await keeping
})

it('that were lost from Redis alone are whole again at their next change', async () => {
  const stop = new AbortController()
  await write(bar(0), bar(1))
  const keeping = source().keep(stop.signal)
  await eventually(async () => (await members('ohlcv:alpha:BTC/USDT:1m')).length === 2)
  await reader.client.del('ohlcv:alpha:BTC/USDT:1m')
  await write(bar(2))
  await eventually(async () => (await members('ohlcv:alpha:BTC/USDT:1m')).length === 3)
  stop.abort()
  await keeping
})

it('that Redis has no room for hold up no others, and are written when there is room', async () => {
  const { client } = reader
  const limit = (bytes: number) => client.config('SET', 'maxmemory', String(bytes))
  const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))![1])
  const count = (ticker: string) => client.zcard(`ohlcv:alpha:${ticker}:1m`)
  await sql().write(Array.from({ length: 15_000 }, (_, n) => bar(n, { ticker: 'AAA/USDT' })))
  await sql().write([bar(0, { ticker: 'ZZZ/USDT' })])
  // Time flies: a series that has to wait does not wait for long.
  let nowMs = 0
  const clock = {
    ...{ ...systemClock, monotonic: () => (nowMs += 50) },
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 10, signal),
  }
  const stop = new AbortController()
  const refusals: unknown[] = []
  let times = 0
  await limit((await used()) + 1_000_000)
  const keeping = openBarSource({
    ...{ writer: reader.writer, bus, database: test.database, clock },
    ...{ families: new Set(PROJECTION_FAMILIES), hoursOf: () => ALWAYS_OPEN },
  }).keep(stop.signal, { onFull: (error) => refusals.push(error), onCurrent: () => times++ })
  try {
    await eventually(async () => refusals.length > 0 && (await count('ZZZ/USDT')) === 1)
    await write(bar(1, { ticker: 'ZZZ/USDT' }))
    await eventually(async () => (await count('ZZZ/USDT')) === 2)
    expect(refusals[0]).toMatchObject({ code: 'REDIS_FULL' })
    expect([await count('AAA/USDT'), times]).toEqual([0, 0])
  } finally {
    await limit(0)
  }
  await eventually(async () => (await count('AAA/USDT')) === 15_000)
  await eventually(() => times > 0)
  stop.abort()
  await keeping
})

describe('a lifetime', () => {
  const vietnam = vietnamCalendar(new Map([['2026-01-19', 0]]))
  const at = (text: string) => Date.parse(`${text}+07:00`)

  it('is an hour for minutes and a day for days while the market is open', () => {
    const open = at('2026-01-20T10:00:00')
    expect(candleLifetimeMs('1m', open, vietnam)).toBe(3_600_000)
    expect(candleLifetimeMs('1D', open, vietnam)).toBe(86_400_000)
    expect(candleLifetimeMs('1m', at('2026-01-18T10:00:00'), ALWAYS_OPEN)).toBe(3_600_000)
  })

  it('lasts until the market opens next: over a night, a weekend and a holiday', () => {
    for (const interval of ['1m', '1D']) {
      expect(candleLifetimeMs(interval, at('2026-01-20T15:00:00'), vietnam)).toBe(18 * 3_600_000)
      const friday = at('2026-01-16T15:30:00')
      expect(friday + candleLifetimeMs(interval, friday, vietnam)).toBe(at('2026-01-20T09:00:00'))
    }
  })
})

it('a window is the day of a time, or for days and longer its year', () => {
  const text = ({ from, to }: { from: number; to: number }) =>
    [from, to].map((time) => new Date(time).toISOString().slice(0, -5))
  expect(text(windowOf('1m', NOON))).toEqual(['2026-01-19T00:00:00', '2026-01-19T23:59:59'])
  expect(text(windowOf('4h', Date.UTC(2026, 0, 20) - 1))).toEqual(text(windowOf('1m', NOON)))
  expect(text(windowOf('1D', NOON))).toEqual(['2026-01-01T00:00:00', '2026-12-31T23:59:59'])
  expect(text(windowOf('1W', -1))).toEqual(['1969-01-01T00:00:00', '1969-12-31T23:59:59'])
})
