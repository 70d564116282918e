// docs/LEDGER.md is checked as if it were code: its tables go in and must come out.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decimal } from '../../src/kernel/index.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { equityOf, latestTradesOf, positionsOf, reconcile, seedCash } from '../../src/ledger/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { aFill, anEnd, told } from './events.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/LEDGER.md'), 'utf8')

type Row = Record<string, string>

/** The rows of the table under a line that says `title`. */
function table(title: string): Row[] {
  const lines = page.split('\n')
  const start = lines.indexOf(title)
  if (start < 0) throw new Error(`docs/LEDGER.md has no table ${title}`)
  const rest = lines.slice(start + 2)
  const end = rest.findIndex((line) => !line.startsWith('|'))
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  const [head, , ...rows] = rest.slice(0, end < 0 ? undefined : end).map(cells)
  return rows.map((row) => Object.fromEntries(head!.map((name, i) => [name, row[i]!])))
}

describe.each(drivers)('the worked example of docs/LEDGER.md on %s', (driver) => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase(driver)
    const fills = table('Fills').map((row) =>
      aFill({ ...(row as object), leg: Number(row['leg']), time: Number(row['time']) }),
    )
    const end = anEnd({ outcome: 'exposed', residual: '0.05', time: 1_005 })
    await test.database.write(async (tx) => {
      for (const { venue, asset, amount } of table('Opening')) {
        await seedCash(tx, [venue!], [{ asset: asset!, amount: decimal(amount!) }])
      }
      for (const event of [...fills, end]) {
        expect(await bookEvent(tx, told(event).eventId, event)).toEqual({ result: 'booked' })
      }
    })
  })
  afterAll(() => test.close())

  it('gives the cash, positions, trade and equity that the page states', async () => {
    const books = await test.database.read(async (tx) => ({
      cash: await tx.sql.select().from(tx.t.cash).orderBy(tx.t.cash.venue, tx.t.cash.asset),
      positions: await positionsOf(tx),
      trades: await latestTradesOf(tx, 10),
      equity: await equityOf(tx, 10),
      differences: await reconcile(tx),
    }))
    expect(books.cash).toMatchObject(table('Cash'))
    expect(books.positions).toMatchObject(table('Positions'))
    expect(books.trades).toMatchObject(table('Trade'))
    expect(books.equity).toMatchObject(table('Equity'))
    expect(books.differences).toEqual([])
  })
})
