// An owner whose lease had run out for a moment must not go on as if nothing had happened: what it did not begin in that
// moment stands in front of what comes.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type Numbered, numberStream, numbers, openNotingBus, start } from './rig.ts'

const LEASE_MS = 600
let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

it('begins nothing behind an entry that it left when its lease was late', async () => {
  // Time that no timer has noticed, as after a pause of the machine.
  let leaptMs = 0
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + leaptMs }
  const bus = openNotingBus(redis.url, clock, LEASE_MS)
  const stream = numberStream({ partitions: 1 })
  await bus.publish(numbers(stream, 1, 200))
  const done: number[] = []
  const consumer = start(
    bus.consume<Numbered>({
      ...{ stream, group: 'g', order: 'key' },
      async handle({ data }) {
        await systemClock.sleep(5)
        if (data.n === 20 && leaptMs === 0) leaptMs = LEASE_MS
        if (done.at(-1) !== data.n) done.push(data.n)
      },
    }),
  )
  await eventually(() => done.at(-1) === 199, { what: 'the last entry' })
  await consumer.stop()
  await bus.close()
  const skipped = done.filter((n, i) => i > 0 && n > done[i - 1]! + 1)
  expect(skipped).toEqual([])
})
