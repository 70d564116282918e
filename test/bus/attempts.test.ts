// How often an entry is tried, and what an entry that waits may hold up; on a real server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outgoing, RetryAfter } from '../../src/bus/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, numberStream, numbers, openNotingBus, start } from './rig.ts'

let redis: TestRedis
let client: Redis
let bus: NotingBus

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
  bus = openNotingBus(redis.url)
})
afterAll(async () => {
  await Promise.all([bus.close(), closeRedis(client)])
  await redis.stop()
})

describe.each(['key', 'none'] as const)('with order %s', (order) => {
  it('counts neither being held nor an attempt that ended with the consumer alive against an entry', async () => {
    const stream = numberStream({ partitions: 1 })
    const total = 20
    await bus.publish(numbers(stream, total, 1))
    // Each of these reads everything, begins one entry, is told to stop, and hands on the rest.
    for (let round = 0; round < 8; round++) {
      const begun = Promise.withResolvers<void>()
      const consumer = start(
        bus.consume({
          stream,
          group: 'g',
          order,
          concurrency: 1,
          async handle(_, { signal }) {
            begun.resolve()
            await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
          },
          timeoutMs: 50,
          retryMs: [60_000, 60_000, 60_000, 60_000],
        }),
      )
      await begun.promise
      await consumer.stop()
    }
    const attempts: number[] = []
    const consumer = start(
      bus.consume({ stream, group: 'g', order, handle: async ({ attempt }) => void attempts.push(attempt) }),
    )
    const buried = async () => (await bus.deadLetters(stream, 100)).length
    await eventually(async () => attempts.length + (await buried()) === total, {
      what: 'all of them at an end',
    })
    expect(await buried()).toBe(0)
    // Delivered before, begun never or to its end: not their ninth attempt.
    expect(Math.max(...attempts)).toBeLessThanOrEqual(2)
    await consumer.stop()
  })

  it('goes on with other keys while as many entries as it has slots wait for their next attempt', async () => {
    const stream = numberStream({ partitions: 2 })
    const handled: string[] = []
    const consumer = start(
      bus.consume({
        stream,
        group: 'g',
        order,
        concurrency: 2,
        retryMs: [60_000],
        async handle({ data }) {
          if (data.key.startsWith('bad')) throw new Error('not yet')
          handled.push(data.key)
        },
      }),
    )
    await bus.publish(
      Array.from({ length: 12 }, (_, i) => outgoing(stream, `bad${i}`, { key: `bad${i}`, n: 0 })),
    )
    await eventually(() => bus.said.retried.filter((fact) => fact.stream === stream.name).length === 12)
    await bus.publish(numbers(stream, 6, 1))
    await eventually(() => handled.length === 6, { what: 'the good ones' })
    await consumer.stop()
  })

  it('aborts a handler at its time, and begins it again', async () => {
    const stream = numberStream()
    const reasons: unknown[] = []
    let isDone = false
    const consumer = start(
      bus.consume({
        stream,
        group: 'g',
        order,
        timeoutMs: 40,
        retryMs: [1],
        async handle({ attempt }, { signal }) {
          if (attempt === 1) {
            await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
            reasons.push(signal.reason)
          } else isDone = true
        },
      }),
    )
    await bus.publish(numbers(stream, 1, 1))
    await eventually(() => isDone)
    expect(reasons).toMatchObject([{ code: 'HANDLER_TIMEOUT' }])
    await consumer.stop()
  })

  it('does not spin on a handler that asks for no pause, a negative one, or none that is a number', async () => {
    const stream = numberStream()
    const pauses = [0, -5, Number.NaN, 2 ** 40]
    let calls = 0
    const consumer = start(
      bus.consume({
        stream,
        group: 'g',
        order,
        async handle() {
          const pause = pauses[calls++]
          if (pause !== undefined) throw new RetryAfter(pause, 'later')
        },
      }),
    )
    await bus.publish(numbers(stream, 1, 1))
    const retried = () => bus.said.retried.filter((fact) => fact.stream === stream.name)
    await eventually(() => retried().length === 4)
    expect(retried().map(({ inMs }) => inMs)).toEqual([1, 1, 1, 3_600_000])
    expect(calls).toBe(4)
    await consumer.stop()
  })

  it('reports entries that were deleted while they were pending, and goes on', async () => {
    const stream = numberStream({ partitions: 1 })
    const receipts = await bus.publish(numbers(stream, 5, 1))
    const key = `{${stream.name}:0}`
    await client.xgroup('CREATE', key, 'g', '0')
    await client.xreadgroup('GROUP', 'g', 'dead', 'COUNT', 5, 'STREAMS', key, '>')
    await client.xdel(key, receipts[1]!.entry, receipts[3]!.entry)
    const handled: string[] = []
    const consumer = start(
      bus.consume({ stream, group: 'g', order, handle: async ({ id }) => void handled.push(id) }),
    )
    await eventually(() => handled.length === 3)
    const lost = bus.said.lost.filter((fact) => fact.stream === stream.name)
    expect(lost.reduce((sum, { count }) => sum + count, 0)).toBe(2)
    await consumer.stop()
  })
})

it('hands on at once, without order, what a consumer held when it was stopped', async () => {
  const stream = numberStream({ partitions: 1 })
  const patient = openNotingBus(redis.url)
  await patient.publish(numbers(stream, 10, 1))
  const gate = Promise.withResolvers<void>()
  const options = { stream, group: 'g', order: 'none', visibilityMs: 600_000, concurrency: 2 } as const
  const first = start(patient.consume({ ...options, handle: () => gate.promise }))
  await eventually(async () => (await patient.status(stream)).partitions[0]!.groups[0]?.pending)
  const stopping = first.stop()
  gate.resolve()
  await stopping
  let handled = 0
  const second = start(patient.consume({ ...options, handle: async () => void handled++ }))
  await eventually(() => handled === 8, { what: 'the eight that were not begun' })
  await second.stop()
  await patient.close()
})
