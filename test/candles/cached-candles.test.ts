// Candles out of the memory of who answers are those of the database, also right after they have changed.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type OpenBus, openBus, openRelay, type Relay } from '../../src/bus/index.ts'
import { openViews, type Views } from '../../src/cache/index.ts'
import { type Bar, type Candle, calendarOf, openSqlCandles, tellChange } from '../../src/candles/index.ts'
import { keepBars } from '../../src/candles/keep-bars.ts'
import { ALWAYS_OPEN, CACHE_DROPS, candleRanges, STREAMS } from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { connectRedis } from '../../src/redis/index.ts'
import { cachedCandles } from '../../src/sources.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let redis: TestRedis
let test: TestDatabase
let bus: OpenBus
let views: Views
let relay: Relay
const stop = new AbortController()
let relaying: Promise<void>
beforeAll(async () => {
  redis = await startRedis()
  test = await openTestDatabase('sqlite')
  bus = openBus({ url: redis.url, clock: systemClock })
  const connect = (role: 'cache' | 'subscriber') => connectRedis(redis.url, role)
  views = openViews({ connect, clock: systemClock })
  const speakers = { [CACHE_DROPS]: (messages: readonly string[]) => views.dropTold(messages) }
  relay = openRelay({ bus, database: test.database, streams: STREAMS, speakers })
  relaying = relay.task(stop.signal)
})
afterAll(async () => {
  stop.abort()
  await relaying
  await views.close()
  await bus.close()
  await test.close()
  await redis.stop()
})

const KEY = { source: 'vn', ticker: 'VIC', interval: '1D' } as const
const bar = (day: number, close: number): Bar => ({
  ...{ ...KEY, time: Date.UTC(2026, 0, day), open: 1, high: 200, low: 1, close, volume: 10 },
})

it('and are read once as long as nothing changes', async () => {
  const sql = openSqlCandles({ database: test.database, clock: systemClock })
  let reads = 0
  const counting: typeof sql = {
    ...sql,
    range(query) {
      reads++
      return sql.range(query)
    },
  }
  const cached = cachedCandles(
    counting,
    views,
    candleRanges<Candle>(() => ALWAYS_OPEN),
  )
  const keep = async (...bars: Bar[]) => {
    const cause = `c${bars[0]!.close}`
    const terms = { driver: 'sqlite', origin: 'files', replaces: 'always', cause, at: 1 } as const
    await test.database.write((tx) => keepBars(tx, bars, terms))
    relay.nudge()
  }
  const closes = async (query = {}) =>
    (await cached.range({ ...KEY, limit: 252, ...query })).map(({ close }) => close)

  await keep(bar(5, 100), bar(6, 101))
  await eventually(async () => (await closes()).join() === '100,101')
  expect(await cached.range({ ...KEY, limit: 252 })).toEqual(await sql.range({ ...KEY, limit: 252 }))
  expect(await closes({ from: Date.UTC(2026, 0, 6) })).toEqual([101])
  expect(await closes({ to: Date.UTC(2026, 0, 6) })).toEqual([100])
  expect(await closes({ limit: 1 })).toEqual([101])
  // Nothing is kept while drops are not known to arrive.
  await eventually(async () => {
    const before = reads
    await closes()
    await closes()
    return reads === before
  })
  const before = reads
  await keep({ ...bar(5, 7), ticker: 'VCB' })
  for (let i = 0; i < 20; i++) await closes()
  expect(reads).toBe(before)

  await keep(bar(6, 102))
  await eventually(async () => (await closes()).join() === '100,102')
  await test.database.write(({ sql: query, t }) => query.delete(t.candles))
  const range = { from: bar(5, 0).time, to: bar(6, 0).time }
  await test.database.write((tx) => tellChange(tx, { ...KEY, ...range, kind: 'purged' }, 'files', 1))
  relay.nudge()
  await eventually(async () => (await closes()).length === 0)
  // More than is worth keeping. Again where a late heartbeat of a busy machine has emptied the memory meanwhile.
  let limit = 1_000
  await eventually(async () => {
    await cached.range(KEY)
    const { entries } = views.stats()
    await cached.range({ ...KEY, limit: ++limit })
    return views.stats().entries === entries
  })
})

it('and live until the market opens, as its holidays say', () => {
  const lifetimeOf = candleRanges(calendarOf(new Map([['2026-01-19', 0]]))).lifetimeMs
  const at = (text: string) => Date.parse(`${text}+07:00`)
  const lives = (source: string, now: number) =>
    typeof lifetimeOf === 'function' && lifetimeOf([source, 'VIC', '1D', '-', '-', 252], now)
  const friday = at('2026-01-16T15:30:00')
  expect(lives('vn', friday)).toBe(at('2026-01-20T09:00:00') - friday)
  expect(lives('vn', at('2026-01-20T09:30:00'))).toBe(86_400_000)
  expect(lives('crypto', friday)).toBe(86_400_000)
})
