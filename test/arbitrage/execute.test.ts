// What an execution leaves behind in each course that it can take.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openExecutor } from '../../src/arbitrage/index.ts'
import { RetryAfter } from '../../src/bus/index.ts'
import { executeLock, lockNames } from '../../src/catalog/index.ts'
import type { Database } from '../../src/db/index.ts'
import { decimal, SluiceError, systemClock } from '../../src/kernel/index.ts'
import { type Locks, openLocks } from '../../src/locks/index.ts'
import type { Venue } from '../../src/venues/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { btc, OPENED_AT, openStory, type StoryOptions } from './execution-story.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const quiet = () => new AbortController().signal

for (const driver of drivers) {
  describe(`an execution on ${driver}`, () => {
    let store: TestDatabase
    let locks: Locks
    let count = 0
    beforeAll(async () => {
      store = await openTestDatabase(driver)
      locks = openLocks({ urls: [redis.url], database: store.database, clock: systemClock, names: lockNames })
    })
    afterAll(async () => {
      await locks.close()
      await store.close()
    })
    const story = (more: Partial<StoryOptions> = {}) =>
      openStory({ name: `s${++count}`, database: store.database, locks, ...more })

    it('sends both legs, books their exact fills and tells them in order', async () => {
      const { deliver, outcome } = await story()
      await deliver()
      const left = await outcome()
      expect(left['executions']).toMatchObject([{ status: 'completed', outcome: 'filled', quantity: '1' }])
      expect(left['reservations']).toEqual([])
      expect(left['inventory']).toEqual([
        { venue: 'buyer', asset: 'BTC', opening: '5', total: '6', reserved: '0' },
        { venue: 'buyer', asset: 'USDT', opening: '10000', total: '9899.9', reserved: '0' },
        { venue: 'seller', asset: 'BTC', opening: '5', total: '4', reserved: '0' },
        { venue: 'seller', asset: 'USDT', opening: '10000', total: '10100.899', reserved: '0' },
      ])
      expect(left['told']).toMatchObject([
        { eventId: 'order 0:1', type: 'fill', data: { leg: 0, side: 'buy', price: '100', fee: '0.1' } },
        { eventId: 'order 1:1', type: 'fill', data: { leg: 1, side: 'sell', price: '101', fee: '0.101' } },
        { eventId: 'the opportunity:completed', data: { outcome: 'filled', residual: '0' } },
      ])
      expect(left['taken']).toMatchObject([{ time: OPENED_AT }, { time: OPENED_AT }])
    })

    it('does nothing when it is delivered again', async () => {
      const { deliver, outcome } = await story()
      await deliver()
      const before = await outcome()
      await deliver()
      expect(await outcome()).toEqual(before)
    })

    it('leaves the closing of an opportunity to the recorder', async () => {
      const { deliver, outcome } = await story({ change: { phase: 'closed', reason: 'gone' } })
      await deliver()
      expect((await outcome())['executions']).toEqual([])
    })

    it('trades back what one leg filled more than the other', async () => {
      const { deliver, outcome } = await story({ sell: { fills: () => [[101, 0.4]] } })
      await deliver()
      const left = await outcome()
      expect(left['executions']).toMatchObject([{ status: 'completed', outcome: 'unwound' }])
      expect(left['taken']).toMatchObject([
        { clientOrderId: 'order 0', side: 'buy', quantity: '1' },
        // Decided when the fills were known, at no limit, on the venue that has too much.
        { clientOrderId: 'order 2', side: 'sell', quantity: '0.6', time: OPENED_AT + 20 },
        { clientOrderId: 'order 1', side: 'sell', quantity: '1' },
      ])
      expect(left['inventory']).toMatchObject([
        { venue: 'buyer', asset: 'BTC', total: '5.4' },
        { venue: 'buyer', asset: 'USDT', total: '9959.84' },
        { venue: 'seller', asset: 'BTC', total: '4.6' },
        { venue: 'seller', asset: 'USDT', total: '10040.3596' },
      ])
    })

    it('buys back at the sell venue when too much was sold', async () => {
      const { deliver, outcome } = await story({ buy: { fills: () => [] } })
      await deliver()
      const left = await outcome()
      expect(left['executions']).toMatchObject([{ outcome: 'unwound' }])
      expect(left['intents']).toMatchObject([
        { leg: 0, status: 'rejected', filled: '0' },
        { leg: 1, status: 'filled' },
        { leg: 2, venue: 'seller', side: 'buy', quantity: '1', limitPrice: null },
      ])
    })

    it('keeps and reports a difference that is too small for the venue', async () => {
      const { deliver, outcome, options } = await story({ sell: { fills: () => [[101, 0.97]] } })
      const exposed: unknown[] = []
      options.events.on('exposed', (fact) => exposed.push(fact))
      await deliver()
      const left = await outcome()
      expect(left['executions']).toMatchObject([{ outcome: 'exposed', reason: 'below_minimum' }])
      expect(left['told']).toMatchObject([{}, {}, { data: { outcome: 'exposed', residual: '0.03' } }])
      expect(exposed).toMatchObject([{ residual: '0.03', reason: 'below_minimum' }])
    })

    it('gives up trading back after three orders that nobody took', async () => {
      const fills = (order: { limitPrice: unknown }) => (order.limitPrice ? [[100, 1] as const] : [])
      const { deliver, outcome } = await story({ buy: { fills }, sell: { fills: () => [] } })
      await deliver()
      const left = await outcome()
      expect(left['executions']).toMatchObject([{ outcome: 'exposed', reason: 'no_liquidity' }])
      expect(left['intents']).toHaveLength(5)
    })

    it('ends as none when neither leg is filled, with the inventory as before', async () => {
      const { deliver, outcome } = await story({ buy: { fills: () => [] }, sell: { fills: () => [] } })
      await deliver()
      const left = await outcome()
      expect(left['executions']).toMatchObject([{ outcome: 'none' }])
      expect(left['inventory']).toMatchObject([
        { total: '5', reserved: '0' },
        { total: '10000', reserved: '0' },
        { total: '5', reserved: '0' },
        { total: '10000', reserved: '0' },
      ])
    })

    it('asks before it sends again, whether the request or the answer was lost', async () => {
      const { deliver, outcome, buy, sell } = await story({
        buy: { place: (_, call) => (call === 1 ? 'lose request' : 'answer') },
        sell: { place: (_, call) => (call === 1 ? 'lose answer' : 'answer') },
      })
      expect(await deliver()).toBe(1)
      expect(await outcome()).toMatchObject({ repeated: [], executions: [{ outcome: 'filled' }] })
      expect([buy.finds.length, sell.finds.length]).toEqual([1, 1])
    })

    it('stays pending while a venue is silent, and is finished by a later delivery', async () => {
      const { deliver, outcome, options, opportunity } = await story({
        sell: { place: () => 'lose answer', answersFind: (call) => call > 6 },
      })
      const postponed: string[] = []
      options.events.on('postponed', ({ reason }) => postponed.push(reason))
      await expect(openExecutor(options)(opportunity, quiet())).rejects.toBeInstanceOf(RetryAfter)
      expect(await outcome()).toMatchObject({ executions: [{ status: 'pending' }], told: [] })
      await deliver()
      expect(await outcome()).toMatchObject({ repeated: [], executions: [{ outcome: 'filled' }] })
      expect(postponed.length).toBeGreaterThan(0)
    })

    it('finishes what a former owner decided while it was about to refuse it', async () => {
      const { deliver, outcome, options, opportunity } = await story({
        sell: { place: () => 'lose answer', answersFind: (call) => call > 6 },
      })
      await expect(openExecutor(options)(opportunity, quiet())).rejects.toBeInstanceOf(RetryAfter)
      let reads = 0
      const stale: Database = {
        ...options.database,
        // As it was before the former owner committed.
        read: async (work) => (++reads === 1 ? (undefined as never) : options.database.read(work)),
      }
      await deliver({ database: stale, time: 'wall' })
      expect(await outcome()).toMatchObject({ repeated: [], executions: [{ outcome: 'filled' }] })
    })

    it('leaves a call that never returns in time for its next delivery', async () => {
      const { outcome, options, opportunity } = await story()
      const venue = (name: string): Venue | undefined => {
        const found = options.venue(name)
        const place: Venue['place'] = async (order, signal) => {
          await new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => resolve())
          })
          throw new SluiceError('ORDER_AMBIGUOUS', `No answer for ${order.clientOrderId}.`)
        }
        return found && { spec: found.spec, find: found.find, place }
      }
      const execute = openExecutor({ ...options, venue })
      await expect(execute(opportunity, quiet())).rejects.toMatchObject({
        cause: { code: 'ORDER_AMBIGUOUS' },
      })
      expect(await outcome()).toMatchObject({ executions: [{ status: 'pending' }], told: [] })
    })

    it('waits its turn when the lock is taken', async () => {
      const { options, opportunity, outcome } = await story()
      await locks.hold(executeLock('BTC/USDT'), async () => {
        await expect(openExecutor(options)(opportunity, quiet())).rejects.toBeInstanceOf(RetryAfter)
      })
      expect((await outcome())['executions']).toEqual([])
    })

    it('sends after a crash the order that it had decided, not one of the present', async () => {
      let now = 5_000_000
      const clock = { ...systemClock, now: () => now }
      const change = { openedAt: now - 10 }
      const { deliver, outcome, options, opportunity } = await story({
        change,
        buy: { place: (_, call) => (call === 1 ? 'lose request' : 'answer'), answersFind: (n) => n > 1 },
      })
      const wall = { ...options, time: 'wall' as const, clock, patienceMs: 60 }
      await expect(openExecutor(wall)(opportunity, quiet())).rejects.toBeInstanceOf(RetryAfter)
      now += 60_000
      await deliver({ ...wall, patienceMs: 20_000 })
      const left = await outcome()
      expect(left['executions']).toMatchObject([{ outcome: 'filled', decidedAt: 5_000_000 }])
      expect(left['taken']).toMatchObject([{ time: 5_000_000 }, { time: 5_000_000 }])
    })

    describe('is refused, once and with its reason,', () => {
      const cases: [string, Partial<StoryOptions>, string, Parameters<typeof deliverAs>[1]?][] = [
        ['when it is too old', {}, 'too_old', { time: 'wall' }],
        [
          'when its stamp is ahead of this clock',
          {},
          'from_future',
          { time: 'wall', clock: { ...systemClock, now: () => OPENED_AT - 1_001 } },
        ],
        ['when a venue is unknown', {}, 'venue_unknown', { venue: () => undefined }],
        ['when its edge is too small', {}, 'edge_too_small', { minEdgeBps: 80 }],
        ['when its limits lose money', { change: { sellLimit: 100.1 } }, 'edge_too_small'],
        ['when real and simulated are mixed', { change: { simulated: false } }, 'mixed_simulation'],
        ['when it has one venue', { name: 'one', change: { sellVenue: 'one-buy' } }, 'same_venue'],
        ['when its sources are not named', { change: { sources: [] } }, 'source_missing'],
        [
          'when its sources do not bear it out',
          {},
          'not_in_sources',
          { sources: async () => ({ code: 'not_in_sources', facts: {} }) },
        ],
        ['when it is below a minimum', { change: { quantity: 0.01 } }, 'below_minimum'],
        ['when the cap is below a minimum', {}, 'below_minimum', { maxNotional: decimal(4) }],
        [
          'when a venue holds too little',
          { instruments: { sell: { ...btc, minQuantity: decimal(6) } }, change: { quantity: 7 } },
          'no_inventory',
        ],
      ]
      const deliverAs = async (more: Partial<StoryOptions>, options: Record<string, unknown> = {}) => {
        const told = await story(more)
        const refusals: unknown[] = []
        told.options.events.on('refused', (fact) => refusals.push(fact))
        await told.deliver(options)
        await told.deliver(options)
        return { left: await told.outcome(), refusals }
      }
      for (const [when, more, reason, options] of cases) {
        it(`${when}: ${reason}`, async () => {
          const { left, refusals } = await deliverAs(more, options)
          expect(left).toMatchObject({ executions: [{ status: 'refused', reason }], taken: [], told: [] })
          expect(left['reservations']).toEqual([])
          expect(refusals).toMatchObject([{ code: reason }])
        })
      }
    })
  })
}
