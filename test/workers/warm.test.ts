// The scheduler as its users run it: a Redis that knows no answers gets those that readers will ask for.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inspectCache } from '../../src/cache/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { openSystem, type System } from '../support/system.ts'

let system: System
let client: Redis
beforeAll(async () => {
  system = await openSystem('sqlite', {})
  client = connectRedis(system.redis.url, 'jobs')
  await ready(client)
})
afterAll(async () => {
  await closeRedis(client)
  await system.close()
})

it('is warmed after its start, by one of two schedulers, and again after each flush', async () => {
  const schedulers = [system.start('scheduler'), system.start('scheduler')]
  const epochs = new Set<string>()
  for (const forget of [async () => undefined, () => client.flushall()]) {
    await forget()
    const { epoch } = await eventually(async () => {
      const facts = await inspectCache(client)
      const answers = facts.views.reduce((sum, view) => sum + view.answers, 0)
      return !epochs.has(facts.epoch) && answers >= 7 ? facts : undefined
    })
    epochs.add(epoch)
  }
  const warmings = () =>
    schedulers.flatMap((worker) => worker.logs()).filter(({ msg }) => msg === 'the cache was warmed')
  await eventually(() => Promise.resolve(warmings().length >= epochs.size))
  expect(warmings()).toHaveLength(2)
})
