// Funding rates and contexts as readers of the replaced systems see them.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PROJECTION_FAMILIES, type ProjectionFamily } from '../../src/catalog/index.ts'
import { bookFunding } from '../../src/funding/book-funding.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openFundingSource } from '../../src/projections/funding-source.ts'
import { aContext, aRate, HOUR, SETTLED } from '../funding/events.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { keysOf, openReader } from './rig.ts'

const GO_ON = new AbortController().signal
let reader: Awaited<ReturnType<typeof openReader>>
let test: TestDatabase
beforeAll(async () => {
  reader = await openReader()
  test = await openTestDatabase('sqlite')
})
afterAll(async () => {
  await reader.close()
  await test.close()
})

// A minute behind the settlement; nothing is written because of its age.
const clock = { ...systemClock, now: () => SETTLED + 60_000, monotonic: () => 0 }
const source = (families: readonly ProjectionFamily[] = PROJECTION_FAMILIES) =>
  openFundingSource({ writer: reader.writer, database: test.database, clock, families: new Set(families) })
const book = (...events: Parameters<typeof bookFunding>[2][]) =>
  test.database.write(async (tx) => {
    for (const event of events) await bookFunding(tx, JSON.stringify(event), event)
  })
const json = async (key: string) => JSON.parse((await reader.client.get(key)) ?? 'null')
const rateIn = async (key: string) => JSON.parse((await reader.client.get(key)) ?? '[]')[0]?.funding_rate

it('are kept as a rebuild writes them, together and each by itself, for a minute', async () => {
  const stop = new AbortController()
  const keeping = source().keep(stop.signal)
  await eventually(async () => Array.isArray(await json('funding_rates:latest:all')))
  expect(await json('funding_rates:latest:all')).toEqual([])
  await book(
    aRate({ rate: '0.000658153991747989', markPrice: '64000.1', intervalHours: 8 }),
    aRate({ symbol: 'ETH/USDT' }),
    aRate({ venue: 'beta', fundingTime: SETTLED + HOUR }),
    aContext({ markPrice: '12345678901234567.89' }),
  )
  await eventually(async () => (await json('funding_rates:latest:all')).length === 3)
  await eventually(() => reader.client.exists('nof0:market:ctx:alpha:BTC/USDT'))
  expect(Object.keys(await keysOf(reader.client))).toEqual([
    'funding_rates:all:alpha',
    'funding_rates:all:beta',
    'funding_rates:alpha:BTC/USDT',
    'funding_rates:alpha:BTC/USDT,ETH/USDT',
    'funding_rates:alpha:ETH/USDT',
    'funding_rates:beta:BTC/USDT',
    'funding_rates:latest:all',
    'nof0:market:ctx:alpha:BTC/USDT',
  ])
  expect(await reader.client.get('funding_rates:alpha:BTC/USDT')).toBe(
    '[{"exchange":"alpha","symbol":"BTC/USDT","funding_rate":0.000658153991747989,' +
      '"funding_time":"2026-01-19T08:00:00.000Z","next_funding_time":null,"mark_price":64000.1,' +
      '"index_price":null,"funding_interval":8,"timestamp":"2026-01-19T08:00:00.001Z"}]',
  )
  expect(await reader.client.get('nof0:market:ctx:alpha:BTC/USDT')).toContain(
    '"mark_px":12345678901234567.89,"mid_px":null,"impact_pxs":[63999,64002.1]',
  )
  expect(await reader.client.pttl('funding_rates:all:beta')).toBeGreaterThan(40_000)
  const kept = await keysOf(reader.client)
  await reader.client.flushall()
  await source().rebuild(GO_ON)
  expect(await keysOf(reader.client)).toEqual(kept)

  await book(aRate({ rate: '0.5', time: SETTLED + 2 }))
  const both = ['funding_rates:alpha:BTC/USDT', 'funding_rates:all:alpha']
  await eventually(async () => (await Promise.all(both.map(rateIn))).every((rate) => rate === 0.5))
  stop.abort()
  await keeping
})

it('end where nobody has said anything new for long, and are written for their families alone', async () => {
  const { database } = test
  await database.write(async ({ sql, t }) => {
    await sql.update(t.fundingRates).set({ fundingTime: SETTLED - 37 * HOUR })
    await sql.update(t.assetContexts).set({ updatedAt: SETTLED - HOUR })
  })
  await reader.client.flushall()
  await source().rebuild(GO_ON)
  expect(Object.keys(await keysOf(reader.client))).toEqual(['funding_rates:latest:all'])
  await reader.client.flushall()
  await book(aContext({ symbol: 'ETH/USDT' }), aRate())
  await source(['nof0']).rebuild(GO_ON)
  expect(Object.keys(await keysOf(reader.client))).toEqual(['nof0:market:ctx:alpha:ETH/USDT'])
})
