// The tasks on a real bus: two executors and two recorders share the stream, one of them leaves in the middle.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  executionTotals,
  executorTask,
  openExecutor,
  reconcile,
  recorderTask,
  seedInventory,
} from '../../src/arbitrage/index.ts'
import {
  type Bus,
  type ConsumeOptions,
  type Entry,
  openBus,
  openRelay,
  outgoing,
  RetryAfter,
} from '../../src/bus/index.ts'
import { executions, lockNames, type Opportunity, opportunities } from '../../src/catalog/index.ts'
import type { Database } from '../../src/db/index.ts'
import { runTasks, SluiceError, systemClock } from '../../src/kernel/index.ts'
import { openLocks } from '../../src/locks/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { BALANCES, btc, openStory, opportunityOf } from './execution-story.ts'
import { scriptedVenue } from './scripted-venue.ts'

const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT', 'ADA/USDT']
const EACH = 10

for (const driver of drivers) {
  describe(`executors and recorders on ${driver}`, () => {
    let redis: TestRedis
    let store: TestDatabase
    beforeAll(async () => {
      redis = await startRedis()
      store = await openTestDatabase(driver)
    })
    afterAll(async () => {
      await store.close()
      await redis.stop()
    })

    it('execute each opportunity once and tell each execution once, also when one of them leaves', async () => {
      const { database } = store
      const openOne = () => {
        const bus = openBus({ url: redis.url, clock: systemClock, leaseMs: 1_000 })
        const locks = openLocks({ urls: [redis.url], database, clock: systemClock, names: lockNames })
        return { bus, locks }
      }
      const [one, two] = [openOne(), openOne()]
      const { options } = await openStory({ name: 'base', database, locks: one.locks })
      const fills = (order: { quantity: unknown; limitPrice: unknown }) =>
        [[Number(order.limitPrice), Number(order.quantity)]] as const
      const venues = ['va', 'vb'].map((name) => scriptedVenue(name, btc, { fills }))
      await database.write((tx) => seedInventory(tx, ['va', 'vb'], BALANCES))
      const worker = ({ bus, locks }: typeof one, signal: AbortSignal) => {
        const venue = (name: string) => venues.find((v) => v.spec.name === name)
        const execute = openExecutor({ ...options, locks, venue })
        const relay = openRelay({ bus, database, streams: [executions as never] })
        return runTasks([executorTask(bus, execute), recorderTask(bus, database), relay.task], signal)
      }
      const [stopOne, stopTwo] = [new AbortController(), new AbortController()]
      const running = [worker(one, stopOne.signal), worker(two, stopTwo.signal)]

      const seen = SYMBOLS.flatMap((symbol) => Array.from({ length: EACH }, (_, n) => small(symbol, n)))
      const half = seen.length / 2
      const publish = (some: Opportunity[]) =>
        one.bus.publish(some.map((o) => outgoing(opportunities, `${o.id}:${o.phase}`, o)))
      await publish(seen.slice(0, half))
      await eventually(async () => (await database.read(executionTotals)).completed['filled'] === half)
      await publish(seen.slice(half))
      stopOne.abort()
      await publish(seen.map((o) => ({ ...o, phase: 'closed', reason: 'gone' })))
      await eventually(async () => {
        const totals = await database.read(executionTotals)
        return totals.completed['filled'] === seen.length && totals.open === 0
      })
      await eventually(async () => (await database.read((tx) => tx.sql.$count(tx.t.outbox))) === 0)
      stopTwo.abort()
      await Promise.all(running)

      expect(venues.map((venue) => [venue.taken.size, venue.repeated])).toEqual([
        [seen.length, []],
        [seen.length, []],
      ])
      const { partitions } = await one.bus.status(executions as never)
      expect(partitions.reduce((sum, p) => sum + p.lastSequence, 0)).toBe(3 * seen.length)
      const differences = await database.read(reconcile)
      // The scripted venues keep no orders in the database: what differs is what they filled, at both venues.
      const bought = seen.length / 10
      expect(differences.filter((d) => d.asset === 'BTC')).toMatchObject([
        { venue: 'va', inventory: String(5 + bought), expected: '5' },
        { venue: 'vb', inventory: String(5 - bought), expected: '5' },
      ])
      for (const { bus, locks } of [one, two]) {
        await locks.close()
        await bus.close()
      }
    })
  })
}

it('a recorder waits for a database that is away, and gives up what the database refuses', async () => {
  const failing = async (code: 'DATABASE_UNAVAILABLE' | 'DATABASE_CONSTRAINT') => {
    let options: ConsumeOptions<Opportunity> | undefined
    const consume = (given: unknown) => {
      options = given as ConsumeOptions<Opportunity>
      return async () => {}
    }
    const write = async () => Promise.reject(new SluiceError(code, 'no room'))
    recorderTask({ consume } as unknown as Bus, { write } as unknown as Database)
    const entry = { data: small('BTC/USDT', 1) } as Entry<Opportunity>
    return options!.handle(entry, {} as never)
  }
  await expect(failing('DATABASE_UNAVAILABLE')).rejects.toBeInstanceOf(RetryAfter)
  await expect(failing('DATABASE_CONSTRAINT')).rejects.toMatchObject({ code: 'DATABASE_CONSTRAINT' })
})

const small = (symbol: string, n: number): Opportunity => ({
  ...opportunityOf(`${symbol}-${n}`, 'va', 'vb'),
  symbol,
  quantity: 0.1,
})
