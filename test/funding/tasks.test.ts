// Funding as a worker books it: from the stream to the tables, and out again to the caches.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type OpenBus, openBus, openRelay, outgoing } from '../../src/bus/index.ts'
import { CACHE_DROPS, type FundingEvent, marketFunding } from '../../src/catalog/index.ts'
import { openDatabase } from '../../src/db/index.ts'
import { bookFundings, contextsOf, fundingEmitter, fundingHistoryOf } from '../../src/funding/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { aContext, aRate, SETTLED } from './events.ts'

let redis: TestRedis
let test: TestDatabase
let bus: OpenBus
const stop = new AbortController()
const running: Promise<unknown>[] = []
const events = fundingEmitter()
const results: string[] = []
const dropped: string[] = []

beforeAll(async () => {
  redis = await startRedis()
  test = await openTestDatabase('sqlite', { busyMs: 200 })
  bus = openBus({ url: redis.url, clock: systemClock, leaseMs: 1_000 })
  events.on('booked', ({ what, result }) => void results.push(`${what} ${result}`))
  const speakers = { [CACHE_DROPS]: async (messages: readonly string[]) => void dropped.push(...messages) }
  const relay = openRelay({ bus, database: test.database, streams: [], speakers })
  const options = { bus, db: test.database, clock: systemClock, events, nudge: relay.nudge }
  running.push(bookFundings(options)(stop.signal), relay.task(stop.signal))
})
afterAll(async () => {
  stop.abort()
  await Promise.all(running)
  await bus.close()
  await test.close()
  await redis.stop()
})

const publish = (id: string, data: FundingEvent) => bus.publish([outgoing(marketFunding, id, data)])
const rates = () =>
  test.database.read((tx) => fundingHistoryOf(tx, { venue: 'alpha', symbol: 'BTC/USDT', limit: 10 }))

it('is booked once, in its order, and told to the caches', async () => {
  await publish('1', aRate())
  await publish('2', aRate({ rate: '0.0005', time: SETTLED + 2 }))
  await publish('1', aRate())
  await publish('3', aContext())
  await eventually(() => results.length === 3)
  expect([...results].sort()).toEqual(['context new', 'rate corrected', 'rate new'])
  expect(await rates()).toMatchObject([{ rate: '0.0005' }])
  expect(await test.database.read((tx) => contextsOf(tx))).toHaveLength(1)
  await eventually(() => dropped.length === 2)
  expect(dropped[0]).toContain('funding:alpha:BTC/USDT')
})

it('waits for a database that takes nothing, and gives no settlement up', async () => {
  const other = openDatabase(test.options)
  let letGo = () => {}
  const holding = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const held = other.write(async ({ sql, t }) => {
    await sql.delete(t.quarantine)
    await holding
  })
  const busy = new Promise((resolve) => test.database.events.once('failed', resolve))
  await publish('4', aRate({ fundingTime: SETTLED + 1_000 * 60, rate: '0.0006' }))
  await busy
  letGo()
  await held
  await other.close()
  await eventually(async () => (await rates()).length === 2)
  expect(await bus.deadLetters(marketFunding as never, 10)).toEqual([])
})
