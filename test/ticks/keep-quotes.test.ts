// From the stream into a store of ticks, on real Redis, with files of days and a real database for quarantine.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OpenBus, openBus, outgoing } from '../../src/bus/index.ts'
import { marketQuotes, type QuoteMessage, tickChannel } from '../../src/catalog/index.ts'
import { observe } from '../../src/console/index.ts'
import { openLog, readConfig, SluiceError, systemClock } from '../../src/kernel/index.ts'
import { isWorthTelling } from '../../src/ticks/broadcast.ts'
import {
  openLiveTicks,
  openSqliteTicks,
  type Tick,
  type TickEmitter,
  type TickStore,
  tickEmitter,
  tickTasks,
} from '../../src/ticks/index.ts'
import { type KeepQuotesOptions, keepQuotes } from '../../src/ticks/keep-quotes.ts'
import { ticksOfMessage } from '../../src/ticks/ticks-of-message.ts'
import { start } from '../bus/rig.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { dayFile } from './writer-stage.ts'

let redis: TestRedis
let bus: OpenBus
let place: TestDatabase
let dir: string
let store: TickStore
let names = 0

beforeAll(async () => {
  redis = await startRedis()
  bus = openBus({ url: redis.url, clock: systemClock, leaseMs: 600 })
  place = await openTestDatabase('sqlite')
  dir = mkdtempSync(join(tmpdir(), 'sluice-keep-'))
  store = openSqliteTicks({ dir, clock: systemClock })
})
afterAll(async () => {
  await store.close()
  await bus.close()
  await place.close()
  await redis.stop()
  rmSync(dir, { recursive: true })
})

let symbol: string
beforeEach(() => {
  symbol = `T${names++}/USDT`
})

const nobody = () => {
  throw new Error('no cut-over is under way')
}
const NOW = systemClock.now()
const quoteOf = (n: number, more: { bid?: number; ask?: number; time?: number } = {}) => {
  const { bid = 100 + n / 1_000, ask = bid + 0.01, time = NOW + n / 8 } = more
  return { symbol, bids: [[bid, 1 + n] as [number, number]], asks: [[ask, 2] as [number, number]], time }
}
const message = (quotes: QuoteMessage['quotes']): QuoteMessage => ({
  ...{ venue: 'alpha', board: symbol, quotes, simulated: true },
})
const publish = (messages: readonly QuoteMessage[]) =>
  bus.publish(
    messages.map((data, i) => outgoing(marketQuotes, `${symbol} ${i} ${JSON.stringify(data).length}`, data)),
  )

const observed = (ticks: TickEmitter) =>
  observe({ ticks }, { clock: systemClock, log: openLog({ level: 'silent', name: 'x' }) })

const keep = (more: Partial<KeepQuotesOptions> = {}) =>
  bus.fold(
    keepQuotes({
      ...{ name: symbol, store, database: place.database, clock: systemClock, events: tickEmitter() },
      ...{ live: true, jumpPct: 10, broadcastMinPct: undefined, ...more },
    }),
  )
const kept = () => store.range({ symbol, from: NOW - 1_000, to: NOW + 1_000_000 })
const reasons = async () =>
  (await place.database.read(({ sql, t }) => sql.select().from(t.quarantine)))
    .filter((row) => row.symbol === symbol)
    .map(({ reason }) => reason)
    .sort()
const isSettled = async () => {
  const { partitions } = await bus.status(marketQuotes)
  return partitions.every(({ groups }) => groups.find(({ group }) => group.endsWith(symbol))?.lag === 0)
}

describe('the keeper of ticks', () => {
  it('keeps every quote of the stream with its microseconds, and a second reading adds nothing', async () => {
    await publish(
      Array.from({ length: 300 }, (_, n) =>
        message([quoteOf(3 * n), quoteOf(3 * n + 1), quoteOf(3 * n + 2)]),
      ),
    )
    const running = start(keep())
    await eventually(async () => (await kept()).length === 900)
    await bus.seekGroup(marketQuotes, `ticks-${symbol}`, 'start')
    await eventually(isSettled)
    await running.stop()
    const ticks = await kept()
    expect(ticks).toHaveLength(900)
    expect(ticks[9]).toEqual({
      ...{ symbol, source: 'alpha', time: NOW + 1, nanos: 125_000, sequence: 0 },
      ...{ bid: 100.009, ask: 100.009 + 0.01, bidSize: 10, askSize: 2, volume: 0, flags: 1, broker: '' },
    })
  })

  it('keeps ticks of one time in the order of the stream', async () => {
    await publish(Array.from({ length: 50 }, (_, n) => message([quoteOf(n, { time: NOW })])))
    const running = start(keep())
    await eventually(async () => (await kept()).length === 50)
    await running.stop()
    expect((await kept()).map(({ bidSize }) => bidSize)).toEqual(Array.from({ length: 50 }, (_, n) => 1 + n))
  })

  it('puts what is no tick into quarantine with its reason, once, and keeps the rest', async () => {
    await publish([
      message([quoteOf(0)]),
      message([quoteOf(1, { bid: 100, ask: 111 })]),
      message([quoteOf(2, { time: NOW + 3_600_000 })]),
      message([quoteOf(3, { time: NOW - 90_000_000 })]),
      message([quoteOf(4)]),
      // A venue that repeats itself is counted, and fills no table.
      message([quoteOf(4)]),
      message([quoteOf(4)]),
    ])
    let repeated = 0
    const events = tickEmitter()
    events.on('stored', ({ stored, duplicate }) => {
      repeated += stored + duplicate
    })
    const counted: Pick<TickStore, 'write'> = {
      async write(ticks) {
        repeated -= ticks.length
        return store.write(ticks)
      },
    }
    const running = start(keep({ events, store: counted }))
    await eventually(async () => (await reasons()).length === 3 && (await kept()).length === 2)
    await eventually(isSettled)
    expect(repeated).toBe(2)
    await bus.seekGroup(marketQuotes, `ticks-${symbol}`, 'start')
    await eventually(isSettled)
    await running.stop()
    expect(await reasons()).toEqual(['future', 'too_old', 'wide_spread'])
    expect(await kept()).toHaveLength(2)
  })

  it('takes a recording of any age when it is told so', async () => {
    await publish([message([quoteOf(0, { time: NOW - 500_000_000 })])])
    const running = start(keep({ live: false }))
    await eventually(() => store.recent(symbol, 1).then((ticks) => ticks.length === 1))
    await running.stop()
    expect(await reasons()).toEqual([])
  })

  it('acknowledges nothing while the store fails, for whatever reason, and loses nothing when it returns', async () => {
    let failing = true
    let refused = 0
    const weak: Pick<TickStore, 'write'> = {
      async write(ticks: readonly Tick[]) {
        if (!failing) return store.write(ticks)
        if (refused++ === 0) throw new SluiceError('DATABASE_INVALID', 'a link lies in the way')
        throw new TypeError('nobody foresaw this')
      },
    }
    await publish(Array.from({ length: 20 }, (_, n) => message([quoteOf(n)])))
    const events = tickEmitter()
    const { troubles } = observed(events)
    const running = start(keep({ store: weak, events }))
    await eventually(() => refused >= 2)
    expect(await isSettled()).toBe(false)
    await eventually(() => troubles().some(({ reason }) => reason === 'nobody foresaw this'))
    expect(troubles().map(({ what }) => what)).toEqual([`ticks (${symbol})`])
    failing = false
    await eventually(() => troubles().length === 0)
    await eventually(async () => (await kept()).length === 20)
    await eventually(isSettled)
    await running.stop()
  })

  it('is followed by who asks for the newest ticks, with the same answer and no look at a file', async () => {
    const open = (readBack: typeof bus.readBack) => {
      const live = openLiveTicks({
        ...{ bus: { readBack }, clock: systemClock, live: true, jumpPct: 10 },
        onFailure: expect.unreachable,
      })
      expect(live.recent(symbol, 1)).toBeUndefined()
      return { live, running: start(live.task) }
    }
    const whole = open(bus.readBack)
    let looked = 0
    const holed = open(async (...asked) => {
      looked++
      return (await bus.readBack(...asked)).filter(({ sequence }) => sequence % 5 !== 0)
    })
    await eventually(() => looked > marketQuotes.partitions)
    const one = { time: NOW }
    await publish([
      ...Array.from({ length: 20 }, (_, n) => message([quoteOf(n, one), quoteOf(n + 100, one)])),
      ...[message([quoteOf(1, { bid: 100, ask: 111 })]), message([quoteOf(2, { bid: 500 })])],
      ...Array.from({ length: 20 }, (_, n) => message([quoteOf(n + 1), quoteOf(n + 1)])),
      // Late, and in no newest tick but of all.
      message([quoteOf(5.5)]),
    ])
    const running = start(keep())
    await eventually(async () => (await kept()).length === 61 && whole.live.recent(symbol, 61) !== undefined)
    for (const count of [1, 30, 61]) {
      const stored = await store.recent(symbol, count)
      expect(whole.live.recent(symbol, count)).toEqual(stored)
      expect(whole.live.recent(symbol, count, 'alpha')).toEqual(stored)
    }
    expect(whole.live.recent(symbol, 62)).toBeUndefined()
    expect(whole.live.recent(symbol, 1, 'beta')).toBeUndefined()
    // Where entries are missing nothing is known, rather than something with a hole in it.
    expect(holed.live.recent(symbol, 30)).toBeUndefined()
    await Promise.all([running, whole.running, holed.running].map((task) => task.stop()))
  })

  it('says how its writer is: a day that takes no ticks is seen in the metrics of its worker', async () => {
    const damagedDir = mkdtempSync(join(tmpdir(), 'sluice-keep-'))
    const day = new Date(NOW).toISOString().slice(0, 10)
    mkdirSync(dirname(dayFile(damagedDir, day)), { recursive: true })
    writeFileSync(
      dayFile(damagedDir, day),
      'this is no file of ticks, and longer than a hundred bytes. '.repeat(99),
    )
    await publish([message([quoteOf(0)])])
    const events = tickEmitter()
    const counters = observed(events)
    const config = readConfig({ TICKS_DIR: damagedDir })
    const [task] = tickTasks({
      bus,
      database: place.database,
      clock: systemClock,
      events,
      config,
      cutover: nobody,
    })
    const running = start(task!)
    const level = (name: string) => counters.list().find(([metric]) => metric === name)?.[2]
    await eventually(() => level('sluice_ticks_failing_days') === 1 && level('sluice_ticks_in_spill')! > 0)
    expect(counters.troubles()).toMatchObject([{ what: `ticks of ${day}` }])
    await running.stop()
    rmSync(damagedDir, { recursive: true })
  })

  it('tells moved ticks on their channel and keeps also those that it does not tell', async () => {
    const heard: string[] = []
    let isReady = false
    const listening = start(
      bus.listen(
        [tickChannel('alpha', symbol)],
        (_, text) => heard.push(JSON.parse(text).bid),
        () => {
          isReady = true
        },
      ),
    )
    await eventually(() => isReady)
    await publish([100, 100.0001, 100.5, 100.5002].map((bid, n) => message([quoteOf(n, { bid })])))
    const running = start(keep({ broadcastMinPct: 0.001 }))
    await eventually(async () => (await kept()).length === 4 && heard.length >= 2)
    await running.stop()
    await listening.stop()
    expect(heard).toEqual([100, 100.5])
  })
})

it('a message of one time numbers the ticks of each symbol', () => {
  const same = quoteOf(0, { time: NOW + 0.268_5 })
  const other = { ...same, symbol: 'OTHER/USDT' }
  const ticks = ticksOfMessage(message([same, other, same, { ...same, bids: [] }]))
  expect(ticks.map(({ symbol: of, nanos, sequence }) => [of, nanos, sequence])).toEqual([
    [symbol, ticks[0]!.nanos, 0],
    ['OTHER/USDT', ticks[0]!.nanos, 0],
    [symbol, ticks[0]!.nanos, 1],
  ])
})

it('what is told looks at bid, ask and spread, and a bid of zero spoils nothing', () => {
  const tick = (bid: number, ask: number) => ({ bid, ask }) as Tick
  const told = { bid: 100, ask: 101 }
  expect(isWorthTelling(undefined, tick(1, 2), 0.001)).toBe(true)
  expect(isWorthTelling(told, tick(100, 101), 0)).toBe(true)
  expect(isWorthTelling(told, tick(100.0009, 101), 0.001)).toBe(false)
  expect(isWorthTelling(told, tick(100.001, 101), 0.001)).toBe(true)
  expect(isWorthTelling(told, tick(100, 101.001), 0.001)).toBe(true)
  expect(isWorthTelling(told, tick(100.0006, 100.9994), 0.001)).toBe(true)
  expect(isWorthTelling({ bid: 0, ask: 1 }, tick(0, 1), 0.001)).toBe(true)
})
