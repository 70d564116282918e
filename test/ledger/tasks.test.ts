// The ledger as a worker: from the stream, over the inbox, to the books and out again to the caches.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type OpenBus, openBus, openRelay, outgoing } from '../../src/bus/index.ts'
import { CACHE_DROPS, type ExecutionEvent, executions } from '../../src/catalog/index.ts'
import { eq, openDatabase } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { bookExecutions, ledgerEmitter, reconcile, totalsOf } from '../../src/ledger/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { aFill, anEnd, told } from './events.ts'

const SYMBOLS = ['A/USDT', 'B/USDT', 'C/USDT', 'D/USDT']

const execution = (symbol: string, number: number): ExecutionEvent[] => {
  const of = { symbol, opportunityId: `${symbol} ${number}`, time: 1_000 + number }
  return [
    aFill({ ...of, id: `${symbol} ${number} buy` }),
    aFill({ ...of, id: `${symbol} ${number} sell`, leg: 1, venue: 'beta', side: 'sell', price: '101' }),
    anEnd(of),
  ]
}

describe.each(drivers)('the ledger worker on %s', (driver) => {
  let redis: TestRedis
  let test: TestDatabase
  let bus: OpenBus
  const stop = new AbortController()
  const running: Promise<unknown>[] = []
  const events = ledgerEmitter()
  const heard: string[] = []

  beforeAll(async () => {
    redis = await startRedis()
    test = await openTestDatabase(driver, { busyMs: 200 })
    bus = openBus({ url: redis.url, clock: systemClock, leaseMs: 1_000 })
    const speakers = { [CACHE_DROPS]: async (messages: readonly string[]) => void heard.push(...messages) }
    const relay = openRelay({ bus, database: test.database, streams: [], speakers })
    const worker = { bus, db: test.database, clock: systemClock, events, nudge: relay.nudge }
    running.push(bookExecutions(worker)(stop.signal), relay.task(stop.signal))
  })
  afterEach(() => void events.removeAllListeners())
  afterAll(async () => {
    stop.abort()
    await Promise.all(running)
    await bus.close()
    await test.close()
    await redis.stop()
  })

  const publish = (told: readonly { eventId: string; data: ExecutionEvent }[]) =>
    bus.publish(told.map(({ eventId, data }) => outgoing(executions, eventId, data, { time: data.time })))

  it('books everything that is published once, and tells the caches', async () => {
    const all = SYMBOLS.flatMap((symbol) => [1, 2, 3].flatMap((number) => execution(symbol, number))).map(
      told,
    )
    await publish(all)
    // Under other event ids the bus takes them for new; the ledger does not.
    await publish(all.map(({ eventId, data }) => ({ eventId: `again ${eventId}`, data })))
    await eventually(async () => (await test.database.read(totalsOf)).trades === SYMBOLS.length * 3)
    await eventually(async () => (await pending()) === 0)
    expect(await test.database.read(totalsOf)).toEqual({
      ...{ trades: 12, fills: 24 },
      profit: { USDT: '9.6' },
    })
    expect(await test.database.read(reconcile)).toEqual([])
    await eventually(() => heard.some((message) => message.includes('trades')))
  })

  it('gives a contradiction to the dead letters at once and goes on with the symbol', async () => {
    const mismatch = new Promise((resolve) => events.once('mismatch', resolve))
    const [buy] = execution('E/USDT', 1)
    const [other, ...rest] = execution('E/USDT', 2)
    await publish([told(buy!)])
    const contradiction = { ...buy!, price: '100.00000001' } as ExecutionEvent
    await publish([{ eventId: 'contradiction', data: contradiction }, ...[other!, ...rest].map(told)])
    expect(await mismatch).toMatchObject({ symbol: 'E/USDT' })
    const dead = await eventually(async () => (await bus.deadLetters(executions as never, 10))[0])
    expect(dead).toMatchObject({ eventId: 'contradiction', attempts: 1 })
    expect(dead.reason).toContain('LEDGER_MISMATCH')
    await eventually(async () => (await test.database.read(totalsOf)).trades === 13)
    expect(await test.database.read(reconcile)).toEqual([])
  })

  it('waits for a busy database without giving a fill up', async () => {
    const rival = openDatabase(test.options)
    const begun = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    // Another writer holds the balance that the next fill changes, for several attempts.
    const holding = rival.write(async ({ sql, t }) => {
      await sql.update(t.cash).set({ updatedAt: 1 }).where(eq(t.cash.asset, 'USDT'))
      begun.resolve()
      await held.promise
      throw new Error('rolled back')
    })
    holding.catch(() => {})
    await begun.promise
    const attempts: number[] = []
    const note = ({ attempt }: { attempt: number }) => void attempts.push(attempt)
    bus.events.on('retried', note)
    const before = await test.database.read(totalsOf)
    await publish(execution('F/USDT', 1).map(told))
    await eventually(() => attempts.length >= 3, { what: 'three postponed attempts' })
    held.resolve()
    await expect(holding).rejects.toThrow('rolled back')
    await rival.close()
    await eventually(async () => (await test.database.read(totalsOf)).trades === before.trades + 1)
    bus.events.off('retried', note)
    expect(new Set(attempts)).toEqual(new Set([1]))
    expect(await test.database.read(reconcile)).toEqual([])
  })

  async function pending(): Promise<number> {
    const { partitions } = await bus.status(executions as never)
    return partitions.reduce((sum, { groups }) => sum + groups.reduce((n, { lag }) => n + lag, 0), 0)
  }
})
