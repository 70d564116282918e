// What executors may spend, what recorders keep, and whether both agree with the venues.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  executionTotals,
  latestExecutions,
  latestOpportunities,
  parseBalances,
  reconcile,
  seedInventory,
} from '../../src/arbitrage/index.ts'
import { lockAvailable, reserve, settleInventory } from '../../src/arbitrage/inventory.ts'
import { recordOpportunity } from '../../src/arbitrage/record.ts'
import { lockNames } from '../../src/catalog/index.ts'
import { and, eq } from '../../src/db/index.ts'
import { decimal, decimalText, systemClock } from '../../src/kernel/index.ts'
import { type Locks, openLocks } from '../../src/locks/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { openStory, opportunityOf, type Story } from './execution-story.ts'

describe('PAPER_BALANCES', () => {
  it('is read as assets and exact amounts', () => {
    const read = parseBalances(' USDT=2000000.50, BTC=0.1 ')
    expect(read.map(({ asset, amount }) => [asset, decimalText(amount)])).toEqual([
      ['USDT', '2000000.5'],
      ['BTC', '0.1'],
    ])
    expect(parseBalances('')).toEqual([])
  })

  it.each([
    ['BTC', 'PAPER_BALANCES has "BTC"; allowed: ASSET=amount, for example BTC=0.5'],
    ['BTC=-1', 'PAPER_BALANCES has "BTC=-1"; allowed: ASSET=amount, for example BTC=0.5'],
    ['BTC=1,BTC=2', 'PAPER_BALANCES names BTC twice'],
  ])('with %s names what is wrong', (text, message) => {
    expect(() => parseBalances(text)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message }) as Error,
    )
  })
})

for (const driver of drivers) {
  describe(`on ${driver}`, () => {
    let store: TestDatabase
    beforeAll(async () => {
      store = await openTestDatabase(driver)
    })
    afterAll(() => store.close())
    const rowsOf = (venue: string) =>
      store.database.read(({ sql, t }) => sql.select().from(t.inventory).where(eq(t.inventory.venue, venue)))

    describe('inventory', () => {
      it('is seeded once: what a venue already holds stays', async () => {
        const { database } = store
        expect(await database.write((tx) => seedInventory(tx, ['a', 'b'], 'BTC=1,USDT=5'))).toBe(4)
        expect(await database.write((tx) => seedInventory(tx, ['a', 'b'], 'BTC=9,ETH=2'))).toBe(2)
        expect(await rowsOf('a')).toEqual(
          expect.arrayContaining([{ venue: 'a', asset: 'BTC', opening: '1', total: '1', reserved: '0' }]),
        )
      })

      it('is never reserved twice, however many ask at once', async () => {
        const { database } = store
        await database.write((tx) => seedInventory(tx, ['crowded'], 'BTC=1'))
        const ask = (n: number) =>
          database.write(async (tx) => {
            const holding = { venue: 'crowded', asset: 'BTC', amount: decimal('0.3') }
            const [available] = await lockAvailable(tx, [holding])
            if (available!.lt(holding.amount)) return false
            await reserve(tx, `crowd-${n}`, [holding])
            return true
          })
        const got = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n)))
        expect(got.filter(Boolean)).toHaveLength(3)
        expect(await rowsOf('crowded')).toMatchObject([{ total: '1', reserved: '0.9' }])
      })

      it('refuses to reserve what is not there', async () => {
        const holding = { venue: 'nowhere', asset: 'BTC', amount: decimal(1) }
        await expect(store.database.write((tx) => reserve(tx, 'x', [holding]))).rejects.toMatchObject({
          code: 'USAGE',
        })
      })

      it('changes by the fills and frees what was reserved, also for an asset it never held', async () => {
        const { database } = store
        await database.write((tx) => seedInventory(tx, ['settled'], 'USDT=100'))
        await database.write((tx) =>
          reserve(tx, 'to-settle', [{ venue: 'settled', asset: 'USDT', amount: decimal(60) }]),
        )
        await database.write((tx) =>
          settleInventory(tx, 'to-settle', [
            { venue: 'settled', asset: 'USDT', amount: decimal('-50.05') },
            { venue: 'settled', asset: 'BTC', amount: decimal('0.5') },
          ]),
        )
        expect(await rowsOf('settled')).toEqual(
          expect.arrayContaining([
            { venue: 'settled', asset: 'USDT', opening: '100', total: '49.95', reserved: '0' },
            { venue: 'settled', asset: 'BTC', opening: '0', total: '0.5', reserved: '0' },
          ]),
        )
      })
    })

    describe('the recorder', () => {
      const opened = opportunityOf('seen', 'va', 'vb')
      const closed = {
        ...opened,
        phase: 'closed' as const,
        reason: 'gone' as const,
        lastSeenAt: opened.openedAt + 1_500,
        bestEdgeBps: 90,
      }
      const record = (...seen: (typeof opened)[]) =>
        store.database.write(async (tx) => {
          await tx.sql.delete(tx.t.opportunities)
          for (const one of seen) await recordOpportunity(tx, one)
          return tx.sql.select().from(tx.t.opportunities)
        })

      it('keeps the first sight, then the last', async () => {
        expect(await record(opened)).toMatchObject([{ reason: 'open', closedAt: null }])
        expect(await record(opened, closed)).toMatchObject([
          { reason: 'gone', closedAt: closed.lastSeenAt, bestEdgeBps: 90, openedAt: opened.openedAt },
        ])
      })

      it('comes to the same in any order and any number of times', async () => {
        const once = await record(opened, closed)
        expect(await record(closed, opened)).toEqual(once)
        expect(await record(opened, opened, closed, opened, closed)).toEqual(once)
      })
    })
  })
}

for (const driver of drivers) {
  describe(`looking back on ${driver}`, () => {
    let redis: TestRedis
    let store: TestDatabase
    let locks: Locks
    let stories: Story[]
    beforeAll(async () => {
      redis = await startRedis()
      store = await openTestDatabase(driver)
      const { database } = store
      locks = openLocks({ urls: [redis.url], database, clock: systemClock, names: lockNames })
      stories = [
        await openStory({ name: 'even', database, locks }),
        await openStory({ name: 'uneven', database, locks, sell: { fills: () => [[101, 0.97]] } }),
        await openStory({ name: 'refused', database, locks, change: { edgeBps: -5 } }),
      ]
      for (const story of stories) {
        await database.write((tx) => recordOpportunity(tx, story.opportunity))
        await story.deliver()
        await database.write((tx) => recordVenueOrders(tx, story))
      }
    })
    afterAll(async () => {
      await locks.close()
      await store.close()
      await redis.stop()
    })

    it('counts executions by what became of them', async () => {
      expect(await store.database.read(executionTotals)).toEqual({
        opportunities: 3,
        open: 3,
        pending: 0,
        completed: { filled: 1, exposed: 1 },
        refused: { edge_too_small: 1 },
      })
    })

    it('lists the newest first', async () => {
      const executions = await store.database.read((tx) => latestExecutions(tx, 2))
      expect(executions.map((row) => row.status)).toEqual(['completed', 'refused'])
      const seen = await store.database.read((tx) => latestOpportunities(tx, 2))
      expect(seen.map((row) => row.id)).toEqual(['opportunity:uneven', 'opportunity:refused'])
    })

    it('finds inventory and venues in agreement', async () => {
      expect(await store.database.read(reconcile)).toEqual([])
    })

    it('names each asset that does not agree', async () => {
      await store.database.write(({ sql, t }) =>
        sql.update(t.inventory).set({ total: '4.5' }).where(eq(t.inventory.asset, 'BTC')),
      )
      const differences = await store.database.read(reconcile)
      expect(differences).toContainEqual({
        venue: 'even-buy',
        asset: 'BTC',
        column: 'total',
        inventory: '4.5',
        expected: '6',
      })
      expect(differences).toHaveLength(6)
    })

    it('names what is set aside for nobody', async () => {
      await store.database.write(({ sql, t }) =>
        sql
          .update(t.inventory)
          .set({ reserved: '0.1' })
          .where(and(eq(t.inventory.venue, 'even-buy'), eq(t.inventory.asset, 'USDT'))),
      )
      expect(await store.database.read(reconcile)).toContainEqual({
        ...{ venue: 'even-buy', asset: 'USDT', column: 'reserved' },
        ...{ inventory: '0.1', expected: '0' },
      })
    })
  })
}

/** What the paper venue would have kept of the orders that a scripted one took. */
async function recordVenueOrders(tx: Parameters<typeof recordOpportunity>[0], { buy, sell }: Story) {
  for (const { spec, taken } of [buy, sell]) {
    for (const [clientOrderId, { order, result }] of taken) {
      await tx.sql.insert(tx.t.venueOrders).values({
        clientOrderId,
        venue: spec.name,
        symbol: order.symbol,
        side: order.side,
        quantity: decimalText(order.quantity),
        limitPrice: order.limitPrice ? decimalText(order.limitPrice) : null,
        status: result.status,
        reason: result.reason ?? null,
        time: order.time,
        fills: result.fills.map((fill) => ({
          price: decimalText(fill.price),
          quantity: decimalText(fill.quantity),
          fee: decimalText(fill.fee),
          feeAsset: fill.feeAsset,
          time: fill.time,
        })),
      })
    }
  }
}
