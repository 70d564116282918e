// A short chaos run on each database, from fixed seeds; `npm run chaos` is the long one.
import { expect, it } from 'vitest'
import { drivers, openPlace } from '../support/database.ts'
import { reportOf } from './report.ts'
import { runChaos } from './run.ts'

// On a machine with much else to do.
const TEST_MS = 180_000

const keepsEveryPromise = async (driver: (typeof drivers)[number]) => {
  const seed = driver === 'sqlite' ? 20261121 : 20261122
  const { options, remove } = await openPlace(driver, { migrated: true })
  try {
    const result = await runChaos({
      ...{ seed, messages: 1_000, database: options },
      ...{ workers: 2, leaseMs: 400, gapMs: 200, strikesMax: 12 },
    })
    const broken = result.verdicts.filter(({ count }) => count > 0)
    expect(broken, reportOf(result)).toEqual([])
  } finally {
    await remove()
  }
}

it.each(drivers)(
  'keeps every promise on %s while processes, connections and Redis are struck',
  (driver) => expect(keepsEveryPromise(driver)).resolves.toBeUndefined(),
  TEST_MS,
)
