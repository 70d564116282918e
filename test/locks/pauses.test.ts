// A holder that stands still for ten times the life of its lock, wherever in its critical section that happens, does
// nothing a second time. The long run, beside BullMQ and bare redlock, is bench/lock-pauses.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { STEP_AFTER_LAST_LOOK, STEPS } from './pause-program.ts'
import { stopHolders } from './pauses.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

describe('a holder that stands still and goes on', () => {
  const every = { lanes: 4, ttlMs: 60, seed: '1' }

  it('has executed each job once, or left it to its rival', async () => {
    const verdict = await stopHolders({ ...every, mode: 'ours', url: redis.url, points: STEPS })
    expect(verdict).toMatchObject({ points: STEPS, doubles: 0, missing: 0 })
    expect(verdict.overtaken).toBeGreaterThan(0)
  })

  it('executes twice when nothing checks the fence: the check can fail', async () => {
    const stopAt = STEP_AFTER_LAST_LOOK
    const planted = { ...every, lanes: 2, points: 2, stopAt }
    const verdict = await stopHolders({ ...planted, mode: 'unfenced', url: redis.url })
    expect(verdict).toEqual({ points: 2, doubles: 2, missing: 0, overtaken: 2 })
  })
})
