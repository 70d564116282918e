// The books as readers of the contest see them: exact, the same after a rebuild as kept live, and in the shapes of the
// recorded answers.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { projections } from '../../src/catalog/index.ts'
import { decimal, systemClock } from '../../src/kernel/index.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { latestTradesOf, seedCash } from '../../src/ledger/index.ts'
import { leaderboardKeys, tradeJson } from '../../src/projections/ledger-keys.ts'
import { openLedgerSource } from '../../src/projections/ledger-source.ts'
import { aFill, anEnd, told } from '../ledger/events.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { recording } from '../support/recordings.ts'
import { keysOf, openReader } from './rig.ts'

let reader: Awaited<ReturnType<typeof openReader>>
beforeAll(async () => {
  reader = await openReader()
})
afterAll(() => reader.close())

const GO_ON = new AbortController().signal
const json = async (key: string) => JSON.parse((await reader.client.get(key)) ?? 'null')
const list = async (key: string) => (await reader.client.lrange(key, 0, -1)).map((text) => JSON.parse(text))

describe.each(drivers)('on %s, the ledger', (driver) => {
  let test: TestDatabase
  let booked = 0
  const source = (clock = systemClock) =>
    openLedgerSource({
      ...{ writer: reader.writer, database: test.database, clock },
      state: async () => String(booked),
    })
  const book = async (...events: Parameters<typeof told>[0][]) => {
    for (const event of events) {
      await test.database.write((tx) => bookEvent(tx, told(event).eventId, event))
      booked++
    }
  }
  /** Bought at alpha and sold at beta. */
  const trade = (
    n: number,
    { symbol = 'BTC/USDT', buy = '100', sell = '102', sold = '1', outcome = 'filled' },
  ) => {
    const of = { opportunityId: `opportunity-${n}`, symbol, feeAsset: symbol.split('/')[1]!, fee: '0.1' }
    const time = 1_700_000_000_000 + n * 1_000
    return [
      aFill({ ...of, id: `buy-${n}:0`, clientOrderId: `buy-${n}`, price: buy, time }),
      aFill({
        ...{ ...of, id: `sell-${n}:0`, clientOrderId: `sell-${n}`, price: sell, quantity: sold, time },
        ...{ leg: 1, venue: 'beta', side: 'sell' },
      }),
      anEnd({
        ...{ opportunityId: of.opportunityId, symbol, time: time + 10 },
        ...(outcome === 'exposed' && { outcome, residual: '0.5' }),
      }),
    ]
  }
  beforeEach(async () => {
    test = await openTestDatabase(driver)
    booked = 0
    await reader.client.flushall()
    await test.database.write((tx) =>
      seedCash(
        tx,
        ['alpha', 'beta'],
        [
          { asset: 'USDT', amount: decimal('500') },
          { asset: 'BRL', amount: decimal('1000000000000000.01') },
        ],
      ),
    )
  })
  afterEach(() => test.close())

  it('is there exactly, key by key', async () => {
    await book(
      ...trade(1, {}),
      ...trade(2, { buy: '103', sell: '101' }),
      ...trade(3, { symbol: 'ETH/USDT', buy: '10', sell: '11', sold: '0.5', outcome: 'exposed' }),
      ...trade(4, { symbol: 'BTC/BRL', buy: '300000', sell: '300001.5' }),
    )
    await source().rebuild(GO_ON)
    const { client } = reader
    // BTC: +2 − 2, each less 0.2 of fees. ETH: half a unit of 10 sold at 11; the other half stays, at its cost.
    expect(await json('nof0:leaderboard:cache')).toEqual([
      expect.objectContaining({ id: 'sluice-BRL', num_trades: 1, sharpe: null, win_dollars: 1.3 }),
      {
        ...{ id: 'sluice-USDT', num_trades: 3, num_wins: 2, num_losses: 1 },
        ...{ win_dollars: 2.1, lose_dollars: -2.2, equity: 999.9, return_pct: -0.01 },
        sharpe: expect.closeTo(-0.0164957, 6),
      },
    ])
    // Beyond the 15 digits of a float64.
    expect(await client.get('nof0:leaderboard:cache')).toContain('"equity":2000000000000001.32')
    expect(await client.zrevrange('nof0:leaderboard', 0, -1)).toEqual(['sluice-BRL', 'sluice-USDT'])
    expect(await client.zscore('nof0:leaderboard', 'sluice-USDT')).toMatch(/^-0\.01/)

    // What is bought at one venue and sold at another is no open position.
    expect(Object.keys(await client.hgetall('nof0:positions:sluice-USDT'))).toEqual(['ETH/USDT'])
    expect(await client.exists('nof0:positions:sluice-BRL')).toBe(0)
    expect(JSON.parse((await client.hget('nof0:positions:sluice-USDT', 'ETH/USDT'))!)).toMatchObject({
      ...{ symbol: 'ETH/USDT', quantity: 0.5, entry_price: 10, current_price: 10 },
      ...{ unrealized_pnl: 0, closed_pnl: 0.3 },
    })
    const recent = await list('nof0:trades:recent:sluice-USDT')
    expect(recent.map(({ id }) => id)).toEqual(['opportunity-3', 'opportunity-2', 'opportunity-1'])
    expect(recent[0]).toMatchObject({
      ...{ symbol: 'ETH/USDT', quantity: 0.5, entry_price: 10, exit_price: 11, entry_oid: 'buy-3' },
      ...{ realized_gross_pnl: 0.5, realized_net_pnl: 0.3, total_commission_dollars: 0.2 },
      ...{ entry_closed_pnl: -0.1, exit_closed_pnl: 0.4, model_id: 'sluice-USDT' },
    })
    const curve = await list('nof0:since_inception:sluice-USDT')
    expect(curve[0]).toEqual({ timestamp: 1_700_000_001_010, value: 1000 })
    expect(curve.slice(1).map(({ value }) => value)).toEqual([1001.8, 999.6, 999.9])
    expect(await client.hgetall('nof0:sim:balances:alpha')).toMatchObject({ USDT: '286.7', BTC: '3' })
    const trades = (await client.xrange('nof0:trades:stream', '-', '+')) as [string, string[]][]
    expect(trades.map(([, fields]) => fields[1])).toEqual([1, 2, 3, 4].map((n) => `opportunity-${n}`))
  })

  it('kept live is what a rebuild gives, and follows each booking', async () => {
    const { client } = reader
    const stop = new AbortController()
    await book(...trade(1, {}))
    // Nothing is written because of its age: the time stands still.
    const keeping = source({ ...systemClock, monotonic: () => 0 }).keep(stop.signal)
    const bookedKeys = () => list('nof0:trades:recent:sluice-USDT')
    await eventually(async () => (await bookedKeys()).length === 1)
    await book(...trade(2, { buy: '103', sell: '101' }), trade(5, { symbol: 'ETH/USDT' })[0]!)
    await eventually(async () => (await client.hexists('nof0:positions:sluice-USDT', 'ETH/USDT')) === 1)
    await book(...trade(5, { symbol: 'ETH/USDT' }).slice(1), ...trade(4, { symbol: 'BTC/BRL' }))
    await eventually(async () => (await list('nof0:trades:recent:sluice-BRL')).length === 1)
    await eventually(async () => (await client.exists('nof0:positions:sluice-USDT')) === 0)
    stop.abort()
    await keeping
    const live = await keysOf(client)
    // Over what is there, and after everything was lost.
    await source().rebuild(GO_ON)
    expect(await keysOf(client)).toEqual(live)
    await client.flushall()
    await source().rebuild(GO_ON)
    expect(await keysOf(client)).toEqual(live)
    expect(Object.keys(live).length).toBeGreaterThan(8)
  })
  it('tells the curve of an account however many trades the others have', async () => {
    await book(...trade(1, { symbol: 'BTC/BRL', buy: '300000', sell: '300001.5' }))
    // As many points as one curve has, all of them newer and of another asset.
    const cap = projections.sinceInception.cap!
    const points = Array.from({ length: cap }, (_, n) => ({
      ...{ id: `point-${n}`, asset: 'USDT', symbol: 'BTC/USDT', number: n + 1 },
      ...{
        time: 1_800_000_000_000 + n,
        cash: '0',
        holdings: '0',
        equity: '0',
        realized: '0',
        cause: `c${n}`,
      },
    }))
    await book(trade(2, {})[0]!)
    await test.database.write(async ({ sql, t }) => {
      for (let at = 0; at < cap; at += 100) {
        await sql.insert(t.equitySnapshots).values(points.slice(at, at + 100))
      }
    })
    await source().rebuild(GO_ON)
    const curve = await list('nof0:since_inception:sluice-BRL')
    expect(curve.map(({ timestamp }) => timestamp)).toEqual([1_700_000_001_010, 1_700_000_001_010])
    expect(await list('nof0:since_inception:sluice-USDT')).toHaveLength(cap)
  })

  it('that reads an older state never undoes a newer one', async () => {
    await book(...trade(1, {}))
    const asOld = source()
    const held = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    const slow = openLedgerSource({
      ...{ writer: reader.writer, clock: systemClock, state: async () => 'old' },
      database: {
        ...test.database,
        async read(work) {
          const old = await test.database.read(work)
          reached.resolve()
          await held.promise
          return old
        },
      },
    })
    const late = slow.rebuild(GO_ON)
    await reached.promise
    await book(...trade(2, {}))
    await asOld.rebuild(GO_ON)
    held.resolve()
    await late
    expect(await list('nof0:trades:recent:sluice-USDT')).toHaveLength(2)
    expect(await json('nof0:leaderboard:cache')).toMatchObject([{ num_trades: 2 }])
  })

  it('tells in each trade what the ledger has booked', async () => {
    await book(...trade(1, {}), ...trade(2, { sold: '0.5', outcome: 'exposed' }))
    await source().rebuild(GO_ON)
    const rows = await test.database.read((tx) => latestTradesOf(tx, 10))
    const recent = await list('nof0:trades:recent:sluice-USDT')
    for (const [i, row] of rows.entries()) {
      const { realized_net_pnl: net, total_commission_dollars: fees, ...told } = recent[i]
      expect(decimal(net).eq(decimal(row.profit))).toBe(true)
      expect(decimal(fees).eq(decimal(row.fees))).toBe(true)
      expect(told.entry_closed_pnl + told.exit_closed_pnl).toBeCloseTo(net, 9)
      expect((told.exit_price - told.entry_price) * told.quantity).toBeCloseTo(told.realized_gross_pnl, 9)
    }
  })
})

const nof0 = recording('nof0')
it.skipIf(!nof0)('the shapes are those of the recorded answers', () => {
  const fieldsOf = (name: string) => {
    const answer = JSON.parse(readFileSync(join(nof0!, `${name}.json`), 'utf8')) as Record<string, object[]>
    return Object.keys(answer[name]![0]!).sort()
  }
  const trade = {
    ...{ opportunityId: 'o', symbol: 'BTC/USDT', buyVenue: 'a', sellVenue: 'b', outcome: 'filled' },
    ...{ boughtQuantity: '1', boughtNotional: '1', soldQuantity: '1', soldNotional: '2', fees: '0' },
    ...{ profit: '1', residualQuantity: '0', residualNotional: '0', openedAt: 1, completedAt: 2 },
    simulated: true,
  }
  expect(Object.keys(tradeJson({ trade, fills: [] })).sort()).toEqual(fieldsOf('trades'))
  const account = { asset: 'USDT', symbols: [], opening: decimal(1), equity: decimal(2), positions: [] }
  const [, cached] = leaderboardKeys([{ account, statistics: undefined }])
  const rows = JSON.parse((cached!.content as { value: string }).value)
  expect(Object.keys(rows[0]).sort()).toEqual(fieldsOf('leaderboard'))
})
