// What is configured, and the opportunities that live now, as readers of the replaced systems see them.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PROJECTION_FAMILIES, type ProjectionFamily } from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTableSource } from '../../src/projections/table-source.ts'
import { openVenues } from '../../src/venues/index.ts'
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

const source = (families: readonly ProjectionFamily[] = PROJECTION_FAMILIES, clock = systemClock) =>
  openTableSource({
    ...{ writer: reader.writer, database: test.database, clock },
    ...{ venues: openVenues({ VENUES_FILE: '', FEE_BPS: '' }), families: new Set(families) },
  })
const json = async (key: string) => JSON.parse((await reader.client.get(key)) ?? 'null')

it('are there key by key, of the families that are asked for', async () => {
  await source(['nof0']).rebuild(GO_ON)
  expect(Object.keys(await keysOf(reader.client)).every((key) => key.startsWith('nof0:'))).toBe(true)
  await source().rebuild(GO_ON)
  expect(await json('nof0:market:asset:sim-beta:DOGE/USDT')).toMatchObject({ sz_decimals: 0 })
  expect(await json('nof0:market:asset:sim-alpha:BTC/USDT')).toMatchObject({
    ...{ provider: 'sim-alpha', symbol: 'BTC/USDT', sz_decimals: 5, is_delisted: false },
  })
  expect(await json('exchange:supported')).toContain('sim-alpha')
  expect(await json('symbol_cache:EX1')).toEqual(['BTC/BRL'])
  expect(await json('trading_pair:sim-alpha:BTC/USDT')).toMatchObject({
    ...{ base_currency: 'BTC', quote_currency: 'USDT', min_order_size: '0.00001', taker_fee: 0.0002 },
  })
  expect(await json('arbitrage_opportunities:latest')).toEqual([])
  expect(await reader.client.pttl('exchange:supported')).toBeGreaterThan(1_700_000)
})

it('tell an opportunity while it lives, as a rebuild does', async () => {
  const stop = new AbortController()
  // Nothing is written because of its age: the time stands still.
  const standing = { ...systemClock, monotonic: () => 0 }
  const keeping = source(PROJECTION_FAMILIES, standing).keep(stop.signal)
  const row = {
    ...{ id: 'o1', symbol: 'BTC/USDT', buyVenue: 'a', sellVenue: 'b', openedAt: 1_000, lastSeenAt: 1_000 },
    ...{ closedAt: null, reason: 'open', buyPrice: 100, sellPrice: 101, edgeBps: 90, bestEdgeBps: 90 },
    ...{ quantity: 2, profit: 1.8, buyLimit: 100, sellLimit: 101, simulated: true, sources: [] },
  }
  await test.database.write(({ sql, t }) => sql.insert(t.opportunities).values(row))
  await eventually(async () => (await json('arbitrage_opportunities:latest')).length === 1)
  expect(await json('arbitrage_opportunities:latest')).toMatchObject([
    {
      ...{ id: 'o1', buy_exchange: 'a', sell_exchange: 'b', profit_percentage: 0.9, volume: 2 },
      detected_at: '1970-01-01T00:00:01.000Z',
    },
  ])
  const live = await keysOf(reader.client)
  await source().rebuild(GO_ON)
  expect(await keysOf(reader.client)).toEqual(live)
  await test.database.write(({ sql, t }) => sql.update(t.opportunities).set({ closedAt: 2_000 }))
  await eventually(async () => (await json('arbitrage_opportunities:latest')).length === 0)
  stop.abort()
  await keeping
})
