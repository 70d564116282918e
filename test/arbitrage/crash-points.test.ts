// Ends an executor at every step that leaves the process (a transaction, an order, a question, the lock), before
// the step, after it, and inside a transaction; then delivers again and compares everything that is left with an
// undisturbed run. The checker is shown to catch an executor that does not ask before it sends.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExecutorOptions, openExecutor } from '../../src/arbitrage/index.ts'
import { lockNames } from '../../src/catalog/index.ts'
import type { Database } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { type Locks, openLocks } from '../../src/locks/index.ts'
import type { Venue } from '../../src/venues/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { openStory, type StoryOptions } from './execution-story.ts'

type Moment = 'before' | 'inside' | 'after'
const MOMENTS: readonly Moment[] = ['before', 'inside', 'after']

const SCENARIOS: Record<string, Partial<StoryOptions>> = {
  'both legs filled': {},
  'a difference traded back': { sell: { fills: () => [[101, 0.4]] } },
  'a difference that stays': { sell: { fills: () => [[101, 0.97]] } },
  'answers that never come': {
    buy: { place: () => 'lose answer' },
    sell: { place: (_, call) => (call === 1 ? 'lose request' : 'answer') },
  },
  'no fill at all': { buy: { fills: () => [] }, sell: { fills: () => [] } },
}

class Crash extends Error {
  override readonly name = 'Crash'
}

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

/** The options of an executor that dies at its n-th step; `died` tells whether it came that far. */
function mortal(options: ExecutorOptions, at: number, moment: Moment) {
  let steps = 0
  let dead = false
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    if (dead) throw new Crash('the process is gone')
    const dies = ++steps === at
    if (dies && moment === 'before') dead = true
    if (dead) throw new Crash(`before step ${at}`)
    try {
      return await work()
    } finally {
      if (dies) dead = true
      // A dead process learns nothing, but what it sent is on its way.
      // biome-ignore lint/correctness/noUnsafeFinally: the end of the process is to replace any outcome.
      if (dead) throw new Crash(`after step ${at}`)
    }
  }
  const database: Database = {
    ...options.database,
    read: (work) => step(() => options.database.read(work)),
    write: (work) => {
      const rollsBack = moment === 'inside' && steps + 1 === at
      return step(() =>
        options.database.write(async (tx) => {
          const value = await work(tx)
          if (rollsBack) throw new Crash(`inside step ${at}`)
          return value
        }),
      )
    },
  }
  const locks: Locks = {
    ...options.locks,
    hold: (resource, work, how) => step(() => options.locks.hold(resource, work, how)),
  }
  const venue = (name: string): Venue | undefined => {
    const found = options.venue(name)
    return (
      found && {
        spec: found.spec,
        place: (order, signal) => step(() => found.place(order, signal)),
        find: (id, signal) => step(() => found.find(id, signal)),
      }
    )
  }
  return { options: { ...options, database, locks, venue }, died: () => dead }
}

/** What is left when an executor dies at each step in turn, and others finish what it began. */
async function crashEverywhere(
  open: () => ReturnType<typeof openStory>,
  moment: Moment,
  plant: (options: ExecutorOptions) => ExecutorOptions = (options) => options,
) {
  const undisturbed = await open()
  await undisturbed.deliver()
  const expected = await undisturbed.outcome()
  const differing: { step: number; left: unknown }[] = []
  let step = 1
  for (; ; step++) {
    const story = await open()
    const doomed = mortal(plant(story.options), step, moment)
    const attempt = openExecutor(doomed.options)(story.opportunity, new AbortController().signal)
    const ended = await attempt.then(
      () => true,
      () => false,
    )
    if (!doomed.died()) {
      if (ended) break
      // It put the opportunity off before it came to the step, as with a lock server that is slow for a moment.
      step--
      continue
    }
    await story.deliver(plant(story.options))
    const left = await story.outcome()
    if (JSON.stringify(left) !== JSON.stringify(expected)) differing.push({ step, left })
  }
  return { expected, differing, steps: step - 1 }
}

for (const driver of drivers) {
  describe(`crash points on ${driver}`, () => {
    let store: TestDatabase
    let locks: Locks
    let count = 0
    const story = (script: Partial<StoryOptions>) =>
      openStory({ ...script, name: `c${++count}`, database: store.database, locks })
    beforeAll(async () => {
      store = await openTestDatabase(driver)
      locks = openLocks({ urls: [redis.url], database: store.database, clock: systemClock, names: lockNames })
    })
    afterAll(async () => {
      await locks.close()
      await store.close()
    })

    for (const [scenario, script] of Object.entries(SCENARIOS)) {
      const open = () => story(script)
      for (const moment of MOMENTS) {
        it(`${scenario}: death ${moment} any step leaves what an undisturbed run leaves`, async () => {
          const { expected, differing, steps } = await crashEverywhere(open, moment)
          expect(expected).toMatchObject({ executions: [{ status: 'completed' }], repeated: [] })
          expect(differing).toEqual([])
          expect(steps).toBeGreaterThanOrEqual(6)
        })
      }
    }

    it('is a check that fails when the executor sends again without asking', async () => {
      const open = () => story({})
      const blind = (options: ExecutorOptions): ExecutorOptions => ({
        ...options,
        venue: (name) => {
          const found = options.venue(name)
          return found && { ...found, find: async () => undefined }
        },
      })
      const { differing } = await crashEverywhere(open, 'after', blind)
      expect(differing.length).toBeGreaterThan(0)
    })
  })
}
