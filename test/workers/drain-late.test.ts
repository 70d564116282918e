// A worker that cannot finish what it holds ends all the same.
import { expect, it } from 'vitest'
import { outgoing } from '../../src/bus/index.ts'
import { marketQuotes } from '../../src/catalog/index.ts'
import { readConfig } from '../../src/kernel/index.ts'
import { runWorker, type Worker } from '../../src/platform.ts'
import { startRedis } from '../support/redis.ts'

it('a worker whose fold never settles ends when its time is over', async () => {
  const redis = await startRedis()
  const [settling, stuck] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const worker: Worker = {
    name: 'stuck',
    about: 'never settles',
    usesDatabase: false,
    tasks: ({ bus }) => [
      bus.fold({
        ...{ stream: marketQuotes, group: 'stuck', start: () => 0, apply: () => ({ events: [] }) },
        ...{ save: String, load: Number },
        settle: () => {
          settling.resolve()
          return stuck.promise
        },
      }),
      async () => {
        const heartbeat = { venue: 'v', board: 'b', quotes: [], simulated: true }
        await bus.publish([outgoing(marketQuotes, 'a'.repeat(32), heartbeat)])
      },
    ],
  }
  const stop = new AbortController()
  const config = readConfig({ REDIS_URL: redis.url, DRAIN_MS: '10', LOG_LEVEL: 'silent' })
  const running = runWorker(config, worker, stop.signal)
  await Promise.race([settling.promise, running])
  stop.abort()
  await expect(running).rejects.toMatchObject({ code: 'DRAIN_LATE' })
  stuck.resolve()
  await redis.stop()
})
