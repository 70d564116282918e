// Without order: what is in work stays with who works on it, and a close leaves everything to the next consumer.
import { expect, it } from 'vitest'
import { outgoing } from '../../src/bus/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis.ts'
import { numberStream, openNotingBus, start } from './rig.ts'

/** Two consumers without order, of which the first stands still until `gate` resolves, and one that is never heard of. */
async function openPair(concurrency: number) {
  const redis = await startRedis()
  const client = connectRedis(redis.url, 'writer')
  await ready(client)
  const stream = numberStream({ partitions: 1 })
  const entries = `{${stream.name}:0}`
  const [first, second] = [openNotingBus(redis.url), openNotingBus(redis.url)]
  const gate = Promise.withResolvers<void>()
  const taken: string[] = []
  const consume = (name: 'first' | 'second') =>
    start(
      (name === 'first' ? first : second).consume({
        ...{ stream, group: 'g', order: 'none', visibilityMs: 600, concurrency },
        async handle({ data }) {
          taken.push(`${name} ${data.key}`)
          if (name === 'first') await gate.promise
        },
      }),
    )
  const send = (key: string) => first.publish([outgoing(stream, key, { key, n: 0 })])
  return {
    ...{ gate, taken, consume, send },
    held: async () => ((await client.xpending(entries, 'g')) as [number])[0],
    /** Takes an entry now and is silent from then on: taking it over shows that the visibility time-out has passed. */
    async haunt(key: string) {
      await send(key)
      await client.xreadgroup('GROUP', 'g', 'ghost', 'COUNT', 1, 'STREAMS', entries, '>')
    },
    async close() {
      await Promise.all([first.close(), second.close(), closeRedis(client)])
      await redis.stop()
    },
  }
}

it('a consumer without order that is full keeps what it has in work beyond the visibility time-out', async () => {
  const { gate, taken, consume, send, held, haunt, close } = await openPair(1)
  const one = consume('first')
  await send('long')
  await eventually(() => taken.length === 1)
  await send('behind')
  // Two are held now, one at work and one behind it: as many as it takes.
  await eventually(async () => (await held()) === 2)
  await haunt('ghost')
  const two = consume('second')
  await eventually(() => taken.includes('second ghost'))
  await two.stop()
  await haunt('spirit')
  const three = consume('second')
  await eventually(() => taken.includes('second spirit'))
  gate.resolve()
  await eventually(() => taken.length >= 4)
  await Promise.all([one.stop(), three.stop()])
  expect(taken).toEqual(['first long', 'second ghost', 'second spirit', 'first behind'])
  await close()
})

it('a handler without order that drains keeps its entry beyond the visibility time-out', async () => {
  const { gate, taken, consume, send, haunt, close } = await openPair(16)
  const one = consume('first')
  await send('long')
  await eventually(() => taken.length === 1)
  const stopped = one.stop()
  await haunt('ghost')
  const two = consume('second')
  await eventually(() => taken.includes('second ghost'))
  gate.resolve()
  await Promise.all([stopped, two.stop()])
  expect(taken).toEqual(['first long', 'second ghost'])
  await close()
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
