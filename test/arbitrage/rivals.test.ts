// Two executors at one opportunity: a former holder that wakes up late, and two that no lock keeps apart. Both
// checks are shown to fail when the guard that they are about is taken away.
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExecutorOptions, openExecutor } from '../../src/arbitrage/index.ts'
import { RetryAfter } from '../../src/bus/index.ts'
import { executeLock, lockNames } from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type Held, issueFence, type Locks, lockEmitter, openLocks } from '../../src/locks/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import type { Venue } from '../../src/venues/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { openStory, type Story } from './execution-story.ts'

let redis: TestRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
})
afterAll(async () => {
  await closeRedis(client)
  await redis.stop()
})

const never = () => new AbortController().signal

/** A venue whose answers wait for the gate; `reached` resolves when the first order is there. */
function gated(options: ExecutorOptions) {
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const wait = async <T>(answer: Promise<T>): Promise<T> => {
    reached.resolve()
    await gate.promise
    return answer
  }
  const venue = (name: string): Venue | undefined => {
    const found = options.venue(name)
    return (
      found && {
        spec: found.spec,
        place: (order, signal) => wait(found.place(order, signal)),
        find: (id, signal) => wait(found.find(id, signal)),
      }
    )
  }
  return { options: { ...options, venue }, open: gate.resolve, reached: reached.promise }
}

/** One takes the lock and stalls with its orders sent; it is taken over, and wakes before the other is done. */
async function wakeLate(story: Story, plant: (locks: Locks) => Locks = (locks) => locks) {
  const options = { ...story.options, locks: plant(story.options.locks) }
  const [first, second] = [gated(options), gated(options)]
  const former = openExecutor(first.options)(story.opportunity, never()).catch((error: unknown) => error)
  await first.reached
  await client.del(lockNames.key(executeLock('BTC/USDT')))
  const latter = openExecutor(second.options)(story.opportunity, never())
  await second.reached
  first.open()
  const refusal = await former
  const meanwhile = (await story.outcome())['executions']
  second.open()
  await latter
  return { refusal, meanwhile, left: await story.outcome() }
}

for (const driver of drivers) {
  describe(`a former holder on ${driver}`, () => {
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
    const story = (sold: number) =>
      openStory({
        name: `r${++count}`,
        database: store.database,
        locks,
        sell: { fills: () => [[101, sold]] },
      })

    it.each([
      ['settles nothing', 1],
      ['unwinds nothing', 0.4],
    ])('%s once another has taken over', async (_, sold) => {
      const { refusal, meanwhile, left } = await wakeLate(await story(sold))
      expect(refusal).toBeInstanceOf(RetryAfter)
      expect(refusal).toMatchObject({ cause: { code: 'FENCED' } })
      expect(meanwhile).toMatchObject([{ status: 'pending' }])
      expect(left).toMatchObject({ repeated: [], executions: [{ status: 'completed' }] })
    })

    it('is seen to settle when its token is not checked: the check can fail', async () => {
      let latest = 0
      const unfenced = (real: Locks): Locks => ({
        ...real,
        hold: (resource, work, how) =>
          real.hold(
            resource,
            (held) => {
              latest = held.token
              const forged: Held = {
                ...held,
                get token() {
                  return latest
                },
              }
              return work(forged)
            },
            how,
          ),
      })
      const { meanwhile } = await wakeLate(await story(1), unfenced)
      expect(meanwhile).toMatchObject([{ status: 'completed' }])
    })
  })
}

describe('two executors that no lock keeps apart', () => {
  let store: TestDatabase
  beforeAll(async () => {
    store = await openTestDatabase('postgres')
  })
  afterAll(() => store.close())

  /** Excludes nobody: every holder has a resource of its own. */
  function looseLocks(): Locks {
    let holders = 0
    return {
      events: lockEmitter(),
      close: async () => {},
      async hold(resource, work) {
        const own = `${resource}:${++holders}`
        const fence = await store.database.write((tx) => issueFence(tx, own, 'loose'))
        return {
          held: true,
          value: await work({ ...fence, signal: never(), remainingMs: () => 10_000 }),
        }
      },
    }
  }

  async function race(name: string) {
    const story = await openStory({ name, database: store.database, locks: looseLocks() })
    const tries = [1, 2].map(() => openExecutor(story.options)(story.opportunity, never()))
    await Promise.allSettled(tries)
    await story.deliver()
    const { repeated, ...left } = await story.outcome()
    return left
  }

  it('still execute once: the keys of the database decide', async () => {
    for (let round = 1; round <= 15; round++) {
      const left = await race(`free${round}`)
      expect(left).toMatchObject({ executions: [{ outcome: 'filled' }], reservations: [] })
      expect([left['executions'], left['intents'], left['told'], left['taken']]).toMatchObject([
        { length: 1 },
        { length: 2 },
        { length: 3 },
        { length: 2 },
      ])
      expect(left['inventory']).toMatchObject([
        { total: '6', reserved: '0' },
        { total: '9899.9', reserved: '0' },
        { total: '4', reserved: '0' },
        { total: '10100.899', reserved: '0' },
      ])
    }
  })

  it('are seen to decide twice when those keys are gone: the check can fail', async () => {
    const admin = new pg.Client({ connectionString: store.options.url })
    await admin.connect()
    const found = await admin.query(
      `select conrelid::regclass::text as place, conname from pg_constraint
       where contype in ('p', 'u') and conrelid::regclass::text in ('executions', 'intents', 'reservations')`,
    )
    for (const { place, conname } of found.rows) {
      await admin.query(`alter table ${place} drop constraint "${conname}"`)
    }
    await admin.end()
    let decisions = 1
    for (let round = 1; round <= 50 && decisions === 1; round++) {
      decisions = ((await race(`wild${round}`))['executions'] as unknown[]).length
    }
    expect(decisions).toBeGreaterThan(1)
  })
})
