// The auditor of the stories is shown to find what it looks for: an undisturbed run is judged to be right, and then
// one fault after the other is planted.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { and, eq } from '../../src/db/index.ts'
import { recording } from '../support/recordings.ts'
import { openSystem, type System, untilSettled } from '../support/system.ts'
import { type Evidence, gather, judge } from './books.ts'
import { firstDifference } from './compare.ts'
import { BRL, type Part, partOf, recordedSettings } from './recorded-market.ts'
import { ENDED } from './run-recording.ts'

const file = recording(BRL)
const DEAD = {
  ...{ entry: '0/1-0', stream: 'arbitrage.opportunities', partition: 0, group: 'executors' },
  ...{ originEntry: '1-0', eventId: 'x', key: 'BTC/BRL', attempts: 5, reason: 'planted', stack: '', time: 1 },
  data: '{}',
}

describe.skipIf(file === undefined)('the auditor', () => {
  let system: System
  let part: Part
  let right: Evidence

  beforeAll(async () => {
    part = await partOf(file!, 11_650, 300)
    system = await openSystem('sqlite', recordedSettings(part.path))
    const [feed] = ['feed', 'detector', 'executor', 'ledger'].map((name) => system.start(name))
    await feed!.says(ENDED)
    await untilSettled(system)
    for (const worker of system.running()) worker.send('SIGTERM')
    right = await gather(system.bus, system.database)
  }, 120_000)
  afterAll(async () => {
    await system.close()
    part.remove()
  })

  it('finds nothing wrong where nothing is', () => {
    expect(right.books.trades.length).toBeGreaterThan(2)
    expect(judge(right)).toEqual([])
    expect(firstDifference(right.books, structuredClone(right.books))).toBeUndefined()
  })

  const faults: [string, RegExp, (evidence: Evidence) => void][] = [
    ['an opportunity that nobody decided', /said and not decided/, (e) => void e.books.executions.pop()],
    ['an opportunity that nobody recorded', /said and not recorded/, (e) => void e.books.opportunities.pop()],
    [
      'an end that nobody recorded',
      /end .* said and not recorded/,
      (e) => void Object.assign(e.books.opportunities[0]!, { closedAt: null }),
    ],
    ['an opportunity said twice', /event of opportunities .* twice/, (e) => void e.said.push(e.said[0]!)],
    ['a hole in the stream', /goes from 1 to 3/, (e) => void e.said.splice(1, 1)],
    ['an order without an intent', /at the venue and not intended/, (e) => void e.books.intents.pop()],
    ['a removed order', /intended and not at the venue/, (e) => void e.books.venueOrders.pop()],
    [
      'a leg sent twice',
      /leg .* twice/,
      (e) => void e.books.intents.push({ ...e.books.intents[0]!, clientOrderId: 'x' }),
    ],
    ['a fill that was not booked', /fill .* at the venue and not booked/, (e) => void e.books.fills.pop()],
    ['a fill booked twice', /fill .* twice/, (e) => void e.books.fills.push(e.books.fills[0]!)],
    [
      'a fill of another size',
      /booked and not at the venue/,
      (e) => void Object.assign(e.books.fills[0]!, { quantity: '9' }),
    ],
    ['a fill that was not told', /at the venue and not told/, (e) => void e.told.splice(0, 1)],
    ['a fill told twice', /event of executions .* twice/, (e) => void e.told.push(e.told[0]!)],
    ['a trade that was not booked', /executed and not booked/, (e) => void e.books.trades.pop()],
    [
      'an execution without an end',
      /is pending/,
      (e) => void Object.assign(e.books.executions[0]!, { status: 'pending' }),
    ],
    ['a dead letter', /dead letter of executors/, (e) => void e.deadLetters.push(DEAD)],
    [
      'money that stays reserved',
      /stay reserved/,
      (e) => void Object.assign(e.books.inventory[0]!, { reserved: '1' }),
    ],
  ]
  it.each(faults)('finds %s', (_, sentence, plant) => {
    const evidence = structuredClone(right)
    plant(evidence)
    expect(judge(evidence).join('\n')).toMatch(sentence)
  })

  it('finds a row of the books that was changed by hand, to the last decimal', async () => {
    const { database, bus } = system
    const [row] = right.books.cash.filter(({ updatedAt }) => updatedAt > 0)
    const setCash = (amount: string) =>
      database.write(({ sql, t }) =>
        sql
          .update(t.cash)
          .set({ amount })
          .where(and(eq(t.cash.venue, row!.venue), eq(t.cash.asset, row!.asset))),
      )
    const [whole, decimals = ''] = row!.amount.split('.')
    await setCash(`${whole}.${decimals}${'0'.repeat(Math.max(0, 11 - decimals.length))}1`)
    const doctored = await gather(bus, database)
    expect(judge(doctored).join('\n')).toMatch(/the ledger differs from its fills/)
    expect(firstDifference(right.books, doctored.books)).toMatchObject({ a: expect.stringContaining('cash') })
    await setCash(row!.amount)
    expect(judge(await gather(bus, database))).toEqual([])
  })

  it('finds a balance of the executor that is not what its orders say', async () => {
    const { database, bus } = system
    const changed = await database.write(async ({ sql, t }) => {
      const [order] = await sql.select().from(t.venueOrders).limit(1)
      await sql.delete(t.venueOrders).where(eq(t.venueOrders.clientOrderId, order!.clientOrderId))
      return order!
    })
    expect(judge(await gather(bus, database)).join('\n')).toMatch(/the inventory differs from its orders/)
    await database.write(({ sql, t }) => sql.insert(t.venueOrders).values(changed))
    expect(judge(await gather(bus, database))).toEqual([])
  })
})
