// What the reconciling job says about two contexts that only know each other by a stream, and that a full Redis is
// trimmed although no job runs on it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openBus, partitionKeys } from '../../src/bus/index.ts'
import { JOB_PREFIX, JOBS, rejectedInput } from '../../src/catalog/index.ts'
import { insertQuarantine } from '../../src/imports/index.ts'
import { openJobs } from '../../src/jobs/index.ts'
import { openLog, readConfig, runTasks, systemClock } from '../../src/kernel/index.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { ledgerEmitter } from '../../src/ledger/index.ts'
import type { Platform } from '../../src/platform.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { worker } from '../../workers/scheduler.ts'
import { aFill, anEnd, told } from '../ledger/events.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis.ts'

type Handlers = Parameters<Platform['jobs']['run']>[0]

describe.each(drivers)('the jobs on %s', (driver) => {
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
    const { database } = test
    const config = readConfig({ QUARANTINE_DAYS: '90' })
    const events = { ledger }
    worker.tasks({ jobs, log, events, database, config, clock: systemClock } as unknown as Platform)
    const context = { signal: new AbortController().signal, dueAt: 0 }
    const { reconcile, retention } = handlers!
    return { logged, alarms, reconcile: () => reconcile(context), retention: () => retention(context) }
  }

  const settle = (opportunityId: string, outcome: 'filled' | 'none' | null) =>
    test.database.write(({ sql, t }) =>
      sql.insert(t.executions).values({
        ...{ opportunityId, symbol: 'BTC/USDT', buyVenue: 'alpha', sellVenue: 'beta', simulated: true },
        ...{ outcome, status: outcome === null ? 'pending' : 'completed', decidedAt: 1_000 },
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

  it('names an execution that stays pending, as one does whose opportunity is lost with its Redis', async () => {
    const { alarms, reconcile } = scheduled()
    await settle('opportunity-1', null)
    expect(await reconcile()).toMatchObject({ pending: 0 })
    expect(await reconcile()).toMatchObject({ pending: 1, unbooked: 0 })
    expect(alarms).toEqual([{ what: 'pending', count: 1 }])
  })

  it('forget what is in quarantine for more days than QUARANTINE_DAYS, however much it is', async () => {
    const { retention } = scheduled()
    const seen = (days: number, count: number) =>
      test.database.write((tx) =>
        insertQuarantine(
          tx,
          { kind: 'ticks', origin: `${days}`, at: systemClock.now() - days * 86_400_000 },
          Array.from({ length: count }, (_, offset) => ({
            ...{ piece: { offset, text: 'a tick' }, reason: 'crossed', detail: 'the bid is above the ask' },
          })),
        ),
      )
    await seen(91, 2_300)
    await seen(89, 3)
    expect(await retention()).toEqual({ removed: 0, quarantined: 2_300, memory: 0 })
    const left = await test.database.read(({ sql, t }) => sql.select().from(t.quarantine))
    expect(left.map(({ origin }) => origin)).toEqual(['89', '89', '89'])
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

describe('the scheduler on a Redis that is full', () => {
  it('trims, although no job can be queued: nothing else makes room', async () => {
    const redis = await startRedis()
    const client = connectRedis(redis.url, 'writer')
    await ready(client)
    const { entries } = partitionKeys(rejectedInput.name, 0)
    await client.xadd(entries, '1-1', 'data', 'old')
    await client.set('filler', 'x'.repeat(8_000_000))
    await client.config('SET', 'maxmemory', '4mb')
    await expect(client.set('more', '1')).rejects.toThrow('OOM')

    const bus = openBus({ url: redis.url, clock: systemClock, leaseMs: 5_000 })
    const log = openLog({ name: 'scheduler', level: 'fatal' })
    const jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
    const stop = new AbortController()
    const tasks = worker.tasks({
      bus,
      jobs,
      log,
      clock: systemClock,
      config: readConfig({}),
    } as unknown as Platform)
    const running = runTasks(tasks, stop.signal).catch((error: unknown) => error)
    await eventually(async () => (await client.xlen(entries)) === 0)
    stop.abort()
    await running
    await jobs.close()
    await bus.close()
    await closeRedis(client)
    await redis.stop()
  })
})
