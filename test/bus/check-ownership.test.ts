// The database refuses the effect of a former owner: with epochs of real owners, on both databases.
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkOwnership, firstTime, type Ownership } from '../../src/bus/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, numberStream, numbers, openNotingBus, start } from './rig.ts'

let redis: TestRedis
let bus: NotingBus

beforeAll(async () => {
  redis = await startRedis()
  bus = openNotingBus(redis.url, systemClock)
})
afterAll(async () => {
  await bus.close()
  await redis.stop()
})

/** Owners of one partition, one after the other. */
async function owners(count: number): Promise<Ownership[]> {
  const stream = numberStream({ partitions: 1 })
  const found: Ownership[] = []
  for (let n = 0; n < count; n++) {
    const consumer = start(
      bus.consume({
        ...{ stream, group: 'g', order: 'key' },
        handle: async (_, { ownership }) => void found.push(ownership!),
      }),
    )
    await bus.publish(numbers(stream, 1, 1, n))
    await eventually(() => found.length > n)
    await consumer.stop()
  }
  return found
}

for (const driver of drivers) {
  describe(`the check of ownership on ${driver}`, () => {
    let store: TestDatabase
    beforeAll(async () => {
      store = await openTestDatabase(driver)
    })
    afterAll(() => store.close())

    const effect = (by: Ownership, id: string) =>
      store.database.write(async (tx) => {
        await checkOwnership(tx, by)
        await firstTime(tx, by.resource, id, 0)
      })
    const effects = async ({ resource }: Ownership) => {
      const rows = await store.database.read((tx) => tx.sql.select().from(tx.t.inbox))
      return rows.filter((row) => row.consumerGroup === resource).map(({ eventId }) => eventId)
    }

    it('admits owners in their order any number of times, and refuses whoever has been followed', async () => {
      const [former, later] = (await owners(2)) as [Ownership, Ownership]
      const [other] = (await owners(1)) as [Ownership]
      expect(later.epoch).toBeGreaterThan(former.epoch)
      for (const id of ['1', '2']) await effect(former, id)
      for (const id of ['3', '4']) await effect(later, id)
      const facts = { resource: former.resource, epoch: former.epoch }
      await expect(effect(former, '5')).rejects.toMatchObject({ code: 'OWNERSHIP_LOST', facts })
      await effect(later, '6')
      await effect(other, '7')
      expect(await effects(former)).toEqual(['1', '2', '3', '4', '6'])
    })

    it('refuses a former owner that has never written', async () => {
      const [former, later] = (await owners(2)) as [Ownership, Ownership]
      await effect(later, '1')
      await expect(effect(former, '2')).rejects.toMatchObject({ code: 'OWNERSHIP_LOST' })
      expect(await effects(former)).toEqual(['1'])
    })
  })
}

describe('rivals on postgres', () => {
  let store: TestDatabase
  let admin: pg.Client
  beforeAll(async () => {
    store = await openTestDatabase('postgres')
    admin = new pg.Client({ connectionString: store.options.url })
    await admin.connect()
  })
  afterAll(async () => {
    await admin.end()
    await store.close()
  })

  const isWaiting = async () => {
    const { rowCount } = await admin.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    return rowCount === 1
  }
  const never = Promise.resolve()
  /** Notes when it was admitted or refused, waits, and notes its end. */
  const write = async (by: Ownership, name: string, told: string[], until: () => Promise<unknown>) => {
    const code = await store.database
      .write(async (tx) => {
        await checkOwnership(tx, by)
        told.push(`${name} admitted`)
        await until()
        // Before the commit, which lets the other go on.
        told.push(`${name} ends`)
      })
      .catch((error) => error.code as string)
    if (code) told.push(`${name} ${code}`)
  }

  it.each(['written before', 'not written before'])(
    'a later owner waits until the effect of a former one that has %s is committed',
    async (how) => {
      const [former, later] = (await owners(2)) as [Ownership, Ownership]
      const told: string[] = []
      if (how === 'written before') await write(former, 'former', [], () => never)
      const gate = Promise.withResolvers<void>()
      // Started by a gate, because a transaction refuses another one that is begun inside it.
      const rival = gate.promise.then(() => write(later, 'later', told, () => never))
      await write(former, 'former', told, async () => {
        gate.resolve()
        await eventually(isWaiting, { what: 'the later owner waiting' })
      })
      await rival
      expect(told).toEqual(['former admitted', 'former ends', 'later admitted', 'later ends'])
    },
  )

  it.each(['written before', 'not written before'])(
    'a former owner that has %s waits for a later one that is writing, and is refused then',
    async (how) => {
      const [former, later] = (await owners(2)) as [Ownership, Ownership]
      const told: string[] = []
      if (how === 'written before') await write(former, 'former', [], () => never)
      const gate = Promise.withResolvers<void>()
      const rival = gate.promise.then(() => write(former, 'former', told, () => never))
      await write(later, 'later', told, async () => {
        gate.resolve()
        await eventually(isWaiting, { what: 'the former owner waiting' })
      })
      await rival
      expect(told).toEqual(['later admitted', 'later ends', 'former OWNERSHIP_LOST'])
    },
  )

  it('the first effects of a new owner, all begun at once, do not wait for each other', async () => {
    for (const owner of await owners(5)) {
      let begun = 0
      const together = Array.from({ length: 4 }, () =>
        store.database.write(async (tx) => {
          await firstTime(tx, owner.resource, `${owner.epoch} ${begun++}`, 0)
          await eventually(() => begun >= 4)
          await checkOwnership(tx, owner)
        }),
      )
      await Promise.all(together)
      // A deadlock is healed by running a transaction again.
      expect(begun).toBe(4)
    }
  })
})
