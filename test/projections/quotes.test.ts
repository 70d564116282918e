// Prices, tickers, books and ticks as readers of the replaced systems see them: the newest and no older, one venue's and
// not the last writer's, the same after a rebuild as kept live.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type OpenBus, openBus, outgoing } from '../../src/bus/index.ts'
import { marketQuotes, PROJECTION_FAMILIES, type QuoteMessage } from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openQuoteSource } from '../../src/projections/quote-source.ts'
import { openSqliteTicks, type TickStore, ticksOfMessage } from '../../src/ticks/index.ts'
import { eventually } from '../support/eventually.ts'
import { keysOf, openReader } from './rig.ts'

const GO_ON = new AbortController().signal
let reader: Awaited<ReturnType<typeof openReader>>
let bus: OpenBus
let dir: string
let store: TickStore
beforeAll(async () => {
  reader = await openReader()
  bus = openBus({ url: reader.server.url, clock: systemClock })
})
afterAll(async () => {
  await bus.close()
  await reader.close()
})
beforeEach(async () => {
  await reader.client.flushall()
  dir = mkdtempSync(join(tmpdir(), 'sluice-projections-'))
  store = openSqliteTicks({ dir, clock: systemClock })
})
afterEach(async () => {
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})

const source = () =>
  openQuoteSource({
    ...{ writer: reader.writer, bus, ticks: () => store, clock: systemClock },
    ...{ families: new Set(PROJECTION_FAMILIES), gate: { live: true, jumpPct: 10 } },
  })

let sent = 0
const T = systemClock.now() - 3_000
/** Into the stream, and into the store as the keeper of ticks would. */
async function quote(venue: string, symbol: string, bid: number, time: number, stored = true) {
  const bids = Array.from({ length: 7 }, (_, i): [number, number] => [bid - i, 1 + i])
  const asks = Array.from({ length: 7 }, (_, i): [number, number] => [bid + 2 + i, 2 + i])
  const message: QuoteMessage = {
    ...{ venue, board: symbol, simulated: false },
    quotes: [{ symbol, bids, asks, time }],
  }
  await bus.publish([outgoing(marketQuotes, `q${sent++}`, message)])
  if (stored) await store.write(ticksOfMessage(message))
}
const json = async (key: string) => JSON.parse((await reader.client.get(key)) ?? 'null')

it('are there key by key', async () => {
  await quote('alpha', 'BTC/USDT', 100, T)
  await quote('beta', 'BTC/USDT', 104, T + 5)
  await quote('alpha', 'ETH/USDT', 1_000, T + 1.5)
  await source().rebuild(GO_ON)
  const { client } = reader
  expect(await json('nof0:price:beta:BTC/USDT:latest')).toEqual({
    ...{ symbol: 'BTC/USDT', price: 105, timestamp: T + 5, provider: 'beta' },
  })
  // Of venues that are alike the first, not whoever wrote last.
  expect(await json('nof0:price:latest:BTC/USDT')).toMatchObject({ price: 101, provider: 'alpha' })
  expect(await json('nof0:crypto_prices')).toMatchObject({
    'BTC/USDT': { symbol: 'BTC/USDT', price: 101, timestamp: T },
    'ETH/USDT': { symbol: 'ETH/USDT', price: 1_001 },
  })
  const ticker = {
    ...{ exchange: 'alpha', symbol: 'BTC/USDT', bid: 100, bid_volume: 1, ask: 102, ask_volume: 2, last: 101 },
    timestamp: new Date(T).toISOString(),
  }
  expect(await json('ticker:alpha:BTC/USDT')).toEqual(ticker)
  expect(await json('bulk_tickers:alpha')).toMatchObject([ticker, { symbol: 'ETH/USDT' }])
  expect(await json('market_data:beta')).toMatchObject([{ exchange: 'beta', symbol: 'BTC/USDT', price: 105 }])
  expect(await json('market_prices:alpha:BTC/USDT:1:50')).toMatchObject({ total: 1, data: [{ price: 101 }] })
  const book = await json('orderbook:alpha:BTC/USDT:5')
  expect([book.bids.length, book.asks[4]]).toEqual([5, [106, 6]])
  expect((await json('orderbook:alpha:BTC/USDT:20')).bids).toHaveLength(7)
  expect(await json('tick:latest:ETH/USDT')).toMatchObject({ lp: 'alpha', bid: 1_000, ask: 1_002, spread: 2 })
  const ticks = await client.zrange('ticks:BTC/USDT', '0', '-1', 'WITHSCORES')
  expect([Number(ticks[1]), Number(ticks[3])]).toEqual([T, T + 5])
  for (const [key, most] of [
    ['ticker:alpha:BTC/USDT', 10_000],
    ['orderbook:alpha:BTC/USDT:5', 5_000],
  ] as const) {
    const left = await client.pttl(key)
    expect(left > 0 && left <= most, `${key} lives ${left} ms`).toBe(true)
  }
})

it('kept live are what a rebuild gives, and a tick that comes late or jumps changes no price', async () => {
  const stop = new AbortController()
  await quote('alpha', 'BTC/USDT', 100, T)
  const keeping = source().keep(stop.signal)
  await eventually(() => json('ticker:alpha:BTC/USDT'))
  await quote('beta', 'BTC/USDT', 104, T + 5)
  await quote('alpha', 'BTC/USDT', 101, T + 20)
  await quote('alpha', 'BTC/USDT', 99, T + 10)
  await quote('alpha', 'BTC/USDT', 250, T + 30, false)
  await quote('alpha', 'ETH/USDT', 1_000, T + 40)
  await eventually(() => json('ticker:alpha:ETH/USDT'))
  await eventually(async () => (await reader.client.zcard('ticks:ETH/USDT')) === 1)
  // Its tick has not reached the store yet.
  await quote('alpha', 'SOL/USDT', 500, T + 50, false)
  await eventually(async () => (await reader.client.zcard('ticks:SOL/USDT')) === 1)
  stop.abort()
  await keeping
  const live = await keysOf(reader.client)
  expect(JSON.parse(live['ticker:alpha:BTC/USDT']!.content as string)).toMatchObject({ bid: 101 })
  expect(live['ticks:BTC/USDT']!.content).toHaveLength(8)
  await source().rebuild(GO_ON)
  expect(await keysOf(reader.client)).toEqual(live)
  // Everything but the stream is lost: books are in its last seconds, the rest in the store.
  const names = Object.keys(live)
  await reader.client.del(...names, ...(await reader.client.keys('projection:*')))
  await source().rebuild(GO_ON)
  expect(await keysOf(reader.client)).toEqual(live)
  expect(names.length).toBeGreaterThan(15)
})

it('that were trimmed before they were read come from the store', async () => {
  const stop = new AbortController()
  // Each look is a minute later, so that no beginning was lately.
  let nowMs = 0
  const isLost = (venue: string) => venue === 'gamma'
  const keeping = openQuoteSource({
    ...{ writer: reader.writer, ticks: () => store, families: new Set(PROJECTION_FAMILIES) },
    ...{ gate: { live: true, jumpPct: 10 }, clock: { ...systemClock, monotonic: () => (nowMs += 60_000) } },
    bus: {
      async readBack(stream, ...place) {
        const entries = await bus.readBack(stream, ...place)
        return entries.filter(({ data }) => !isLost((data as QuoteMessage).venue))
      },
    },
  }).keep(stop.signal)
  await quote('alpha', 'BTC/USDT', 100, T)
  await eventually(() => json('ticker:alpha:BTC/USDT'))
  await quote('gamma', 'BTC/USDT', 101, T + 1)
  await quote('alpha', 'BTC/USDT', 102, T + 2)
  await eventually(() => json('ticker:gamma:BTC/USDT'))
  // Ticks are written behind the prices.
  await eventually(async () => (await reader.client.zcard('ticks:BTC/USDT')) === 3)
  stop.abort()
  await keeping
})

it('follow the venue that stands for a symbol when it comes back behind the others', async () => {
  const stop = new AbortController()
  await quote('beta', 'BTC/USDT', 104, T)
  const keeping = source().keep(stop.signal)
  const { client } = reader
  await eventually(async () => (await json('nof0:price:latest:BTC/USDT'))?.provider === 'beta')
  for (const [bid, time] of [
    [100, T - 2_000],
    [101, T - 1_900],
  ] as const) {
    await quote('alpha', 'BTC/USDT', bid, time)
    await eventually(async () => (await json('nof0:price:latest:BTC/USDT')).price === bid + 1)
    await eventually(async () => (await json('nof0:crypto_prices'))['BTC/USDT'].price === bid + 1)
    await eventually(async () => (await json('tick:latest:BTC/USDT')).bid === bid)
  }
  stop.abort()
  await keeping
  // A rebuild knows the newer venue too, so it says the same.
  const live = await keysOf(client)
  await source().rebuild(GO_ON)
  expect(await keysOf(client)).toEqual(live)
})

it('are not written while only some of them are read', async () => {
  for (const symbol of ['BTC/USDT', 'ETH/USDT']) await quote('alpha', symbol, 100, T)
  const stop = new AbortController()
  const stopping = openQuoteSource({
    ...{ writer: reader.writer, bus, clock: systemClock, families: new Set(PROJECTION_FAMILIES) },
    gate: { live: true, jumpPct: 10 },
    ticks: () => ({
      ...store,
      series: () => store.series(),
      async recent(...of) {
        stop.abort()
        return store.recent(...of)
      },
    }),
  })
  expect(await stopping.rebuild(stop.signal)).toBe(false)
  expect(await keysOf(reader.client)).toEqual({})
  expect(await source().rebuild(GO_ON)).toBe(true)
  expect(await json('bulk_tickers:alpha')).toHaveLength(2)
})

it('that were lost with the stream come back from the tick store, but for the books', async () => {
  await quote('alpha', 'BTC/USDT', 100, T)
  await source().rebuild(GO_ON)
  const before = await keysOf(reader.client)
  await reader.client.flushall()
  await source().rebuild(GO_ON)
  const after = await keysOf(reader.client)
  const isBook = (name: string) => name.startsWith('orderbook')
  expect(after).toEqual(Object.fromEntries(Object.entries(before).filter(([name]) => !isBook(name))))
})

it('of a former keeper that was paused do not replace newer ones', async () => {
  await quote('alpha', 'BTC/USDT', 100, T)
  const held = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const { writer } = reader
  const slow = openQuoteSource({
    ...{ bus, ticks: () => store, clock: systemClock, families: new Set(PROJECTION_FAMILIES) },
    gate: { live: true, jumpPct: 10 },
    writer: {
      ...writer,
      async put(one) {
        reached.resolve()
        await held.promise
        return writer.put(one)
      },
    },
  })
  const late = slow.rebuild(GO_ON)
  await reached.promise
  await quote('alpha', 'BTC/USDT', 101, T + 1)
  await source().rebuild(GO_ON)
  held.resolve()
  await late
  expect(await json('ticker:alpha:BTC/USDT')).toMatchObject({ bid: 101 })
  expect(await json('nof0:crypto_prices')).toMatchObject({ 'BTC/USDT': { price: 102 } })
  expect((await json('orderbook:alpha:BTC/USDT:5')).bids[0]).toEqual([101, 1])
})
