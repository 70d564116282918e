import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  allPositions,
  type ExecutionEvent,
  latestEquity,
  latestTrades,
  statusTotals,
  VIEWS,
} from '../../src/catalog/index.ts'
import { decimal, isSluiceError } from '../../src/kernel/index.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import {
  equityOf,
  latestTradesOf,
  positionsOf,
  reconcile,
  seedCash,
  totalsOf,
} from '../../src/ledger/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { aFill, anEnd, emptyTables, tablesOf, told } from './events.ts'

const BUY = aFill({ quantity: '2', price: '100', fee: '0.2' })
const SELL = aFill({
  ...{ id: 'order-2:0', clientOrderId: 'order-2', leg: 1, venue: 'beta', side: 'sell', time: 1_001 },
  ...{ quantity: '2', price: '101', fee: '0.202' },
})
const END = anEnd()
const isMismatch = expect.toSatisfy((error) => isSluiceError(error, 'LEDGER_MISMATCH'))

describe.each(drivers)('the ledger on %s', (driver) => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase(driver)
  })
  afterAll(() => test.close())
  beforeEach(() => test.database.write(emptyTables))

  const book = (event: ExecutionEvent, eventId = told(event).eventId) =>
    test.database.write((tx) => bookEvent(tx, eventId, event))
  const read = <T>(work: Parameters<typeof test.database.read<T>>[0]) => test.database.read(work)

  it('books two legs and their end as cash, positions, a trade and equity', async () => {
    await test.database.write((tx) =>
      seedCash(tx, ['alpha', 'beta'], [{ asset: 'USDT', amount: decimal('1000') }]),
    )
    for (const event of [BUY, SELL, END]) expect(await book(event)).toEqual({ result: 'booked' })

    const cash = await read(async ({ sql, t }) =>
      sql.select().from(t.cash).orderBy(t.cash.venue, t.cash.asset),
    )
    expect(cash.map(({ venue, asset, amount }) => `${venue} ${asset} ${amount}`)).toEqual([
      'alpha BTC 2',
      'alpha USDT 799.8',
      'beta BTC -2',
      'beta USDT 1201.798',
    ])
    expect(await read(positionsOf)).toMatchObject([
      { venue: 'alpha', quantity: '2', boughtNotional: '200', fees: '0.2', averageBought: '100' },
      { venue: 'beta', quantity: '-2', soldNotional: '202', fees: '0.202', averageBought: null },
    ])
    expect(await read((tx) => latestTradesOf(tx, 10))).toMatchObject([
      { profit: '1.598', profitAsset: 'USDT', fees: '0.402', residualQuantity: '0', openedAt: 1_000 },
    ])
    expect(await read((tx) => equityOf(tx, 10))).toMatchObject([
      { asset: 'USDT', cash: '2001.598', holdings: '0', equity: '2001.598', realized: '1.598' },
    ])
    expect(await read(totalsOf)).toEqual({ trades: 1, fills: 2, profit: { USDT: '1.598' } })
    expect(await read(reconcile)).toEqual([])
  })

  it('answers in the shapes that the views declare', async () => {
    for (const event of [BUY, SELL, END]) await book(event)
    expect(latestTrades.shape.parse(await read((tx) => latestTradesOf(tx, 10)))).toHaveLength(1)
    expect(allPositions.shape.parse(await read(positionsOf))).toHaveLength(2)
    expect(latestEquity.shape.parse(await read((tx) => equityOf(tx, 10)))).toHaveLength(1)
    expect(statusTotals.shape.parse(await read(totalsOf))).toMatchObject({ trades: 1 })
    expect(new Set(VIEWS.map(({ name }) => name)).size).toBe(VIEWS.length)
  })

  it('books nothing twice, neither an event again nor a fill under another event id', async () => {
    for (const event of [BUY, SELL, END]) await book(event)
    const { inbox: _, ...before } = await read(tablesOf)
    for (const event of [BUY, SELL, END]) expect(await book(event)).toEqual({ result: 'duplicate' })
    for (const event of [BUY, SELL, END]) {
      expect(await book(event, `again ${told(event).eventId}`)).toEqual({ result: 'duplicate' })
    }
    // '2.0' and '2' are the same amount.
    expect(await book({ ...BUY, quantity: '2.0' }, 'other text')).toEqual({ result: 'duplicate' })
    const { inbox: __, ...after } = await read(tablesOf)
    expect(after).toEqual(before)
  })

  it('refuses a fill that says something else under a known id, and changes nothing', async () => {
    await book(BUY)
    const before = await read(tablesOf)
    await expect(book({ ...BUY, quantity: '2.00000001' }, 'other')).rejects.toEqual(isMismatch)
    expect(await read(tablesOf)).toEqual(before)
  })

  it('refuses a second and different end of an execution', async () => {
    for (const event of [BUY, SELL, END]) await book(event)
    await expect(book({ ...END, outcome: 'unwound' }, 'other')).rejects.toEqual(isMismatch)
  })

  it('settles anew when a fill comes after the end, and says so', async () => {
    for (const event of [BUY, END]) await book(event)
    expect(await book(SELL)).toMatchObject({ result: 'booked', mismatch: expect.stringContaining('after') })
    const [trade] = await read((tx) => latestTradesOf(tx, 1))
    expect(trade).toMatchObject({ profit: '1.598', residualQuantity: '0' })
    expect(await read(totalsOf)).toEqual({ trades: 1, fills: 2, profit: { USDT: '1.598' } })
    expect(await read(reconcile)).toEqual([])
  })

  it('believes the fills and not the end about what is open, and says so', async () => {
    await book(BUY)
    expect(await book(END)).toMatchObject({ result: 'booked', mismatch: expect.stringContaining('2 open') })
    const [trade] = await read((tx) => latestTradesOf(tx, 1))
    expect(trade).toMatchObject({ residualQuantity: '2', residualNotional: '200', profit: '-0.2' })
  })

  it('writes no trade for an execution that filled nothing', async () => {
    expect(await book({ ...END, outcome: 'none' })).toEqual({ result: 'booked' })
    expect(await read((tx) => latestTradesOf(tx, 1))).toEqual([])
    expect(await book({ ...END, opportunityId: 'two' })).toMatchObject({ mismatch: expect.any(String) })
  })

  it('seeds a balance once', async () => {
    const seed = (amount: string) =>
      test.database.write((tx) => seedCash(tx, ['alpha'], [{ asset: 'USDT', amount: decimal(amount) }]))
    await seed('1000')
    await book(BUY)
    await seed('5')
    const rows = await read(async ({ sql, t }) => sql.select().from(t.cash).orderBy(t.cash.asset))
    expect(rows[1]).toMatchObject({ asset: 'USDT', opening: '1000', amount: '799.8' })
  })

  it('tells which views are no longer true in the same transaction', async () => {
    for (const event of [BUY, SELL, END, END]) await book(event)
    const messages = await read(async ({ sql, t }) =>
      sql.select({ target: t.outbox.target, data: t.outbox.data }).from(t.outbox).orderBy(t.outbox.id),
    )
    expect(messages.map(({ target }) => target)).toEqual(['cache:drops', 'cache:drops', 'cache:drops'])
    expect(JSON.parse(messages[2]!.data)).toEqual({
      drops: [{ place: 'positions:' }, { place: 'totals:' }, { tag: 'trades' }],
    })
  })

  it('puts the equity of several symbols together in the order of time, with any limit', async () => {
    const other = {
      symbol: 'ETH/USDT',
      opportunityId: 'opportunity-2',
    }
    const late = 100
    const events = [
      { ...BUY, ...other, id: 'e1', time: BUY.time + late, price: '10', fee: '0' },
      { ...SELL, ...other, id: 'e2', time: SELL.time + late, price: '11', fee: '0' },
      { ...END, ...other, time: END.time + late },
    ]
    // The later symbol is booked first: the curve does not show it.
    for (const event of [...events, BUY, SELL, END]) await book(event)
    const curve = await read((tx) => equityOf(tx, 10))
    expect(curve.map(({ symbol, realized }) => [symbol, realized])).toEqual([
      ['ETH/USDT', '3.598'],
      ['BTC/USDT', '1.598'],
    ])
    expect(await read((tx) => equityOf(tx, 1))).toEqual(curve.slice(0, 1))
  })
})
