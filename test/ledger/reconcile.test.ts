import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eq, type Tx } from '../../src/db/index.ts'
import { decimal } from '../../src/kernel/index.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { reconcile, seedCash } from '../../src/ledger/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { aFill, anEnd, told } from './events.ts'

describe.each(drivers)('reconciling on %s', (driver) => {
  let test: TestDatabase
  beforeEach(async () => {
    test = await openTestDatabase(driver)
    const sell = aFill({ id: 'order-2:0', leg: 1, venue: 'beta', side: 'sell', price: '100.5' })
    await test.database.write(async (tx) => {
      await seedCash(tx, ['alpha', 'beta', 'gamma'], [{ asset: 'USDT', amount: decimal('1000000.00000001') }])
      for (const { eventId, data } of [aFill(), sell, anEnd()].map(told)) await bookEvent(tx, eventId, data)
    })
  })
  afterEach(() => test.close())

  /** Changes the books behind the ledger's back and reconciles. */
  async function afterPlanting(plant: (tx: Tx) => Promise<unknown>) {
    await test.database.write(plant)
    return test.database.read(reconcile)
  }

  it('finds nothing in right books', async () => {
    expect(await test.database.read(reconcile)).toEqual([])
  })

  it('finds a balance that is wrong by one unit in its last place', async () => {
    const differences = await afterPlanting(({ sql, t }) =>
      sql.update(t.cash).set({ amount: '1000000.00000002' }).where(eq(t.cash.venue, 'gamma')),
    )
    expect(differences).toEqual([
      {
        ...{ table: 'cash', row: 'gamma USDT', column: 'amount' },
        ...{ booked: '1000000.00000002', derived: '1000000.00000001' },
      },
    ])
  })

  it('finds a position, a trade and a fill that were changed', async () => {
    const positions = await afterPlanting(({ sql, t }) => sql.update(t.positions).set({ fees: '0.10000001' }))
    expect(positions.map(({ table, row, column }) => `${table} ${row} ${column}`)).toEqual([
      'positions alpha BTC/USDT fees',
      'positions beta BTC/USDT fees',
    ])
    const trades = await afterPlanting(({ sql, t }) => sql.update(t.trades).set({ profit: '0.30000001' }))
    expect(trades.at(-1)).toMatchObject({ table: 'trades', column: 'profit', derived: '0.3' })
    const fills = await afterPlanting(({ sql, t }) => sql.delete(t.fills))
    expect(fills.some(({ table, row }) => table === 'cash' && row === 'alpha BTC')).toBe(true)
  })

  it('finds a row that is missing', async () => {
    const differences = await afterPlanting(({ sql, t }) => sql.delete(t.cash))
    expect(differences).toContainEqual({
      ...{ table: 'cash', row: 'alpha BTC', column: 'amount' },
      ...{ booked: undefined, derived: '1' },
    })
  })
})
