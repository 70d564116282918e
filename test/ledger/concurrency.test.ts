// Workers of different symbols change the same cash row at the same time, each over its own connections.
import { afterEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase, type Tx } from '../../src/db/index.ts'
import { decimal, decimalText } from '../../src/kernel/index.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { reconcile, totalsOf } from '../../src/ledger/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { aFill, anEnd, told } from './events.ts'

const EXECUTIONS = 8
const SYMBOLS = ['A/USDT', 'B/USDT', 'C/USDT', 'D/USDT', 'E/USDT', 'F/USDT', 'G/A', 'A/B']

/** A buy at alpha and a sale at beta, one ulp apart from each other in every number. */
const story = (symbol: string) =>
  Array.from({ length: EXECUTIONS }, (_, i) => {
    const of = { symbol, opportunityId: `${symbol} ${i}`, time: 1_000 + i, feeAsset: symbol.split('/')[1]! }
    const price = decimalText(decimal('100').plus(decimal(`${i}e-8`)))
    return [
      aFill({ ...of, id: `${symbol} ${i} buy`, price, quantity: '0.3', fee: '0.00000001' }),
      aFill({
        ...of,
        id: `${symbol} ${i} sell`,
        leg: 1,
        venue: 'beta',
        side: 'sell',
        price,
        quantity: '0.3',
      }),
      anEnd({ symbol, opportunityId: of.opportunityId, time: of.time }),
    ].map(told)
  }).flat()

/** Both workers get every symbol, as in a hand-over that went wrong: the inbox decides which of the two books. */
function bookTogether(databases: readonly Database[], through: (tx: Tx) => Tx = (tx) => tx) {
  const work = databases.flatMap((database) =>
    SYMBOLS.map(async (symbol) => {
      let booked = 0
      for (const { eventId, data } of story(symbol)) {
        const { result } = await database.write((tx) => bookEvent(through(tx), eventId, data))
        if (result === 'booked') booked++
      }
      return booked
    }),
  )
  return Promise.all(work)
}

describe.each(drivers)('two ledger workers on %s', (driver) => {
  const open: (TestDatabase | Database)[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function openBoth() {
    const test = await openTestDatabase(driver, { busyMs: 30_000 })
    const second = openDatabase({ ...test.options, busyMs: 30_000 })
    open.push(test, second)
    return [test.database, second] as const
  }

  it('lose no change of a shared balance, also when both book the same events', async () => {
    const both = await openBoth()
    const results = await bookTogether(both)
    expect(results.reduce((sum, booked) => sum + booked)).toBe(SYMBOLS.length * EXECUTIONS * 3)
    expect(await both[0].read(reconcile)).toEqual([])
    const totals = await both[0].read(totalsOf)
    expect(totals).toMatchObject({
      trades: SYMBOLS.length * EXECUTIONS,
      fills: SYMBOLS.length * EXECUTIONS * 2,
    })
    // Six symbols, each execution − 0.1 − 0.00000001 in fees.
    expect(totals.profit).toMatchObject({ USDT: '-4.80000048' })
  })

  // SQLite has one writer at a time: there a row needs no lock.
  if (driver !== 'postgres') return
  it('would lose changes without the row locks (planted fault)', async () => {
    const both = await openBoth()
    await bookTogether(both, (tx) => ({ ...tx, forUpdate: (query) => query }))
    expect(await both[0].read(reconcile)).not.toEqual([])
  })
})
