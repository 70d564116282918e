// Who holds a lock last, and whether two ever hold it at once: on both databases, and between two processes.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { lockNames } from '../../src/catalog/index.ts'
import type { Database } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { checkFence, type Fence, type Locks, openLocks } from '../../src/locks/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let redis: TestRedis
let store: TestDatabase
let client: Redis
let opened: Locks[] = []

beforeAll(async () => {
  redis = await startRedis()
  store = await openTestDatabase('sqlite')
  client = connectRedis(redis.url, 'writer')
  await ready(client)
})
afterEach(async () => {
  await Promise.all(opened.map((locks) => locks.close()))
  opened = []
})
afterAll(async () => {
  await closeRedis(client)
  await store.close()
  await redis.stop()
})

function open(database: Database): Locks {
  const locks = openLocks({ urls: [redis.url], database, clock: systemClock, names: lockNames })
  opened.push(locks)
  return locks
}

for (const driver of drivers) {
  describe(`the fence on ${driver}`, () => {
    let own: TestDatabase
    beforeAll(async () => {
      own = await openTestDatabase(driver)
    })
    afterAll(() => own.close())

    it('refuses a former holder, and admits the last one any number of times', async () => {
      const locks = open(own.database)
      const held: Fence[] = []
      for (let n = 0; n < 2; n++) await locks.hold('fenced', async (fence) => void held.push(fence))
      const check = (fence: Fence) => own.database.write((tx) => checkFence(tx, fence))
      await expect(check(held[0]!)).rejects.toMatchObject({ code: 'FENCED' })
      await expect(check({ ...held[1]!, holder: 'an impostor' })).rejects.toMatchObject({ code: 'FENCED' })
      await check(held[1]!)
      await check(held[1]!)
    })

    it('issues no token while the effect of the one before is being written', async () => {
      const locks = open(own.database)
      const order: string[] = []
      // Started by a gate, because a transaction refuses another one that is begun inside it.
      const gate = Promise.withResolvers<void>()
      const takeOver = () => open(own.database).hold('serial', async () => void order.push('second holder'))
      const rival = gate.promise.then(takeOver)
      await locks.hold('serial', async (fence) => {
        await own.database.write(async (tx) => {
          await checkFence(tx, fence)
          await client.del(lockNames.key('serial'))
          gate.resolve()
          await eventually(() => client.exists(lockNames.key('serial')))
          order.push('effect')
        })
        order.push('committed')
        await rival
      })
      expect(order).toEqual(['effect', 'committed', 'second holder'])
    })
  })
}

describe('two processes', () => {
  const rounds = 40
  const contend = async (more: Record<string, string>) => {
    const script = join(import.meta.dirname, 'contender.ts')
    const place = { ...store.environment, LOCK_URL: redis.url, ROUNDS: String(rounds), ...more }
    const children = [1, 2].map(() => fork(script, { env: { ...process.env, ...place } }))
    return Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
  }

  it('never hold one lock at the same time, and both get their turns', async () => {
    expect(await contend({ COUNTERS: 'contended' })).toEqual([0, 0])
    expect(await client.get('contended:overlaps')).toBeNull()
    expect(await client.get('contended:turns')).toBe(String(2 * rounds))
  })

  it('are seen to overlap when each takes a lock of its own: the checker can fail', async () => {
    expect(await contend({ COUNTERS: 'planted', OWN_LOCK: 'yes' })).toEqual([0, 0])
    expect(Number(await client.get('planted:overlaps'))).toBeGreaterThan(0)
  })
})
