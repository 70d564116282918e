// Without order: what is in work stays with who works on it, and a close leaves everything to the next consumer.
import { expect, it } from 'vitest'
import { outgoing } from '../../src/bus/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis.ts'
import { numberStream, openNotingBus, start } from './rig.ts'

it('a consumer without order that is full keeps what it has in work beyond the visibility time-out', async () => {
  const redis = await startRedis()
  const client = connectRedis(redis.url, 'writer')
  await ready(client)
  const stream = numberStream({ partitions: 1 })
  const entries = `{${stream.name}:0}`
  const [first, second] = [openNotingBus(redis.url), openNotingBus(redis.url)]
  const gate = Promise.withResolvers<void>()
  const taken: string[] = []
  const consume = (bus: typeof first, name: string) =>
    start(
      bus.consume({
        ...{ stream, group: 'g', order: 'none', visibilityMs: 600, concurrency: 1 },
        async handle({ data }) {
          taken.push(`${name} ${data.key}`)
          if (name === 'first') await gate.promise
        },
      }),
    )
  const one = consume(first, 'first')
  const send = (key: string) => first.publish([outgoing(stream, key, { key, n: 0 })])
  await send('long')
  await eventually(() => taken.length === 1)
  await send('behind')
  // Two are held now, one at work and one behind it: as many as it takes.
  await eventually(async () => ((await client.xpending(entries, 'g')) as [number])[0] === 2)
  // A consumer that takes an entry now and is never heard of again: taking it over shows that the time has passed.
  await send('ghost')
  await client.xreadgroup('GROUP', 'g', 'ghost', 'COUNT', 1, 'STREAMS', entries, '>')
  const two = consume(second, 'second')
  await eventually(() => taken.includes('second ghost'))
  await two.stop()
  await send('spirit')
  await client.xreadgroup('GROUP', 'g', 'ghost', 'COUNT', 1, 'STREAMS', entries, '>')
  const three = consume(second, 'second')
  await eventually(() => taken.includes('second spirit'))
  gate.resolve()
  await eventually(() => taken.length >= 4)
  await Promise.all([one.stop(), three.stop()])
  expect(taken).toEqual(['first long', 'second ghost', 'second spirit', 'first behind'])
  await Promise.all([first.close(), second.close(), closeRedis(client)])
  await redis.stop()
})

it('a handler without order that drains keeps its entry beyond the visibility time-out', async () => {
  const redis = await startRedis()
  const client = connectRedis(redis.url, 'writer')
  await ready(client)
  const stream = numberStream({ partitions: 1 })
  const entries = `{${stream.name}:0}`
  const [first, second] = [openNotingBus(redis.url), openNotingBus(redis.url)]
  const gate = Promise.withResolvers<void>()
  const taken: string[] = []
  const consume = (bus: typeof first, name: string) =>
    start(
      bus.consume({
        ...{ stream, group: 'g', order: 'none', visibilityMs: 600 },
        async handle({ data }) {
          taken.push(`${name} ${data.key}`)
          if (name === 'first') await gate.promise
        },
      }),
    )
  const one = consume(first, 'first')
  await first.publish([outgoing(stream, 'long', { key: 'long', n: 0 })])
  await eventually(() => taken.length === 1)
  const stopped = one.stop()
  // A consumer that takes an entry now and is never heard of again: taking it over shows that the time has passed.
  await first.publish([outgoing(stream, 'ghost', { key: 'ghost', n: 0 })])
  await client.xreadgroup('GROUP', 'g', 'ghost', 'COUNT', 1, 'STREAMS', entries, '>')
  const two = consume(second, 'second')
  await eventually(() => taken.includes('second ghost'))
  gate.resolve()
  await Promise.all([stopped, two.stop()])
  expect(taken).toEqual(['first long', 'second ghost'])
  await Promise.all([first.close(), second.close(), closeRedis(client)])
  await redis.stop()
})

it.each(['key', 'none'] as const)(
  'a closed bus ends its tasks and leaves what is in work (%s)',
  async (order) => {
    const redis = await startRedis()
    const stream = numberStream({ partitions: 1 })
    const [first, second] = [openNotingBus(redis.url), openNotingBus(redis.url)]
    const aborted: unknown[] = []
    const begun = Promise.withResolvers<void>()
    const one = start(
      first.consume({
        ...{ stream, group: 'g', order },
        handle: (_entry, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              aborted.push(signal.reason)
              reject(signal.reason)
            })
            begun.resolve()
          }),
      }),
    )
    await first.publish([outgoing(stream, 'long', { key: 'long', n: 0 })])
    await begun.promise
    await first.close()
    await one.done
    expect(aborted).toMatchObject([{ code: 'REDIS_UNAVAILABLE' }])
    expect(first.said.retried).toEqual([])
    await expect(first.publish([outgoing(stream, 'late', { key: 'long', n: 1 })])).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
    })
    const handled: string[] = []
    const two = start(
      second.consume({
        ...{ stream, group: 'g', order },
        async handle({ data }) {
          handled.push(data.key)
        },
      }),
    )
    await eventually(() => handled.length > 0)
    expect(handled).toEqual(['long'])
    await two.stop()
    await second.close()
    await redis.stop()
  },
)
