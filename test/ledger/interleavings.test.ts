// The books are a function of what was told, not of which worker was faster or what came twice.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { equityOf, reconcile, totalsOf } from '../../src/ledger/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { emptyTables, interleave, SYMBOLS, storyOf, type Told, tablesOf } from './events.ts'

// Postgres answers the same statements over a socket: fewer runs for the same time.
const RUNS = { sqlite: 15, postgres: 5 }

describe.each(drivers)('any interleaving of symbols on %s', (driver) => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase(driver)
  })
  afterAll(() => test.close())

  async function booksAfter(events: readonly Told[]) {
    const { database } = test
    await database.write(emptyTables)
    for (const { eventId, data } of events) await database.write((tx) => bookEvent(tx, eventId, data))
    return database.read(async (tx) => ({
      tables: await tablesOf(tx),
      equity: await equityOf(tx, 100),
      totals: await totalsOf(tx),
      differences: await reconcile(tx),
    }))
  }

  it('with redeliveries gives identical tables that reconcile', async () => {
    const stories = fc.tuple(...SYMBOLS.map((symbol) => storyOf(symbol, 3)))
    const choices = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(stories, choices, async (told, order) => {
        const inOrder = await booksAfter(told.flat())
        expect(inOrder.differences).toEqual([])
        expect(await booksAfter(interleave(told, order))).toEqual(inOrder)
      }),
      { numRuns: RUNS[driver] },
    )
  })

  it('would be told apart if one event were lost (planted fault)', async () => {
    const [story] = fc.sample(
      storyOf('BTC/USDT').filter((told) => told.length > 2),
      { numRuns: 1, seed: 1 },
    )
    const whole = await booksAfter(story!)
    expect(await booksAfter(story!.slice(1))).not.toEqual(whole)
  })
})
