// What the reconciling job says about two contexts that only know each other by a stream.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { ledgerEmitter } from '../../src/ledger/index.ts'
import type { Platform } from '../../src/platform.ts'
import { worker } from '../../workers/scheduler.ts'
import { aFill, anEnd, told } from '../ledger/events.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

type Handlers = Parameters<Platform['jobs']['run']>[0]

describe.each(drivers)('the reconciling job on %s', (driver) => {
  let test: TestDatabase
  beforeEach(async () => {
    test = await openTestDatabase(driver)
  })
  afterEach(() => test.close())

  /** The handlers as the worker hands them to the jobs, and what they write into the log. */
  function scheduled() {
    const logged: unknown[] = []
    let handlers: Handlers | undefined
    const jobs = {
      run: (given: Handlers) => {
        handlers = given
        return async () => {}
      },
    }
    const log = { error: (fact: { difference: unknown }) => logged.push(fact.difference) }
    const ledger = ledgerEmitter()
    const alarms: unknown[] = []
    ledger.on('differing', (fact) => alarms.push(fact))
    worker.tasks({ jobs, log, events: { ledger }, database: test.database } as unknown as Platform)
    const context = { signal: new AbortController().signal, dueAt: 0 }
    return { logged, alarms, reconcile: () => handlers!.reconcile(context) }
  }

  const settle = (opportunityId: string, outcome: 'filled' | 'none') =>
    test.database.write(({ sql, t }) =>
      sql.insert(t.executions).values({
        ...{ opportunityId, symbol: 'BTC/USDT', buyVenue: 'alpha', sellVenue: 'beta', simulated: true },
        ...{ status: 'completed', outcome, decidedAt: 1_000, completedAt: 1_010 },
      }),
    )

  it('names an execution with fills that is not booked at two runs in a row', async () => {
    const { logged, alarms, reconcile } = scheduled()
    await settle('opportunity-1', 'filled')
    await settle('opportunity-2', 'none')
    expect(await reconcile()).toMatchObject({ unbooked: 0 })
    expect(await reconcile()).toMatchObject({ unbooked: 1 })
    expect(logged).toEqual(['opportunity-1'])
    expect(alarms).toEqual([{ what: 'unbooked', count: 1 }])
  })

  it('says nothing of one that was on its way at the first run', async () => {
    const { logged, reconcile } = scheduled()
    await settle('opportunity-1', 'filled')
    await reconcile()
    const sell = aFill({ id: 'order-2:0', leg: 1, venue: 'beta', side: 'sell', price: '100.5' })
    await test.database.write(async (tx) => {
      for (const { eventId, data } of [aFill(), sell, anEnd()].map(told)) await bookEvent(tx, eventId, data)
    })
    expect(await reconcile()).toMatchObject({ unbooked: 0, ledger: 0 })
    expect(logged).toEqual([])
  })
})
