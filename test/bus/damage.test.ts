// What somebody else does to our keys, what handlers throw, and options that cannot work: nothing is lost, nothing
// stands still, and what is wrong is named.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { partitionKeys } from '../../src/bus/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, type NumberStream, numberStream, numbers, openNotingBus, start } from './rig.ts'

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
  await bus.close()
  await closeRedis(client)
  await redis.stop()
})

const isDone = async (stream: NumberStream) =>
  (await bus.status(stream)).partitions.every(({ groups: [group] }) => group?.lag === 0)
/** The one gate of the partition, once it is another than `before`. */
const nextGate = (stream: NumberStream, before?: string) =>
  eventually(async () => {
    const gates = await client.keys(`{${stream.name}:0}:gate:*`)
    return gates.length === 1 && gates[0] !== before ? gates[0] : undefined
  })

describe.each(['key', 'none'] as const)('with order %s', (order) => {
  it('an entry is buried although another program keeps something under the key of the dead letters', async () => {
    const stream = numberStream({ partitions: 1 })
    await client.set(partitionKeys(stream.name, 0).dead, 'not a stream')
    await bus.publish(numbers(stream, 1, 3))
    const fail = async ({ data }: { data: { n: number } }) => {
      if (data.n === 1) throw new Error('poison')
    }
    const consumer = start(bus.consume({ stream, group: 'g', order, retryMs: [], handle: fail }))
    await eventually(() => isDone(stream))
    expect((await bus.deadLetters(stream, 9)).map(({ reason }) => reason)).toEqual(['poison'])
    await consumer.stop()
  })

  it('whatever a handler throws ends as a dead letter, and the others go on', async () => {
    const stream = numberStream({ partitions: 1 })
    const odd = Object.assign(new Error('odd'), { stack: { no: 'text' } })
    const thrown: unknown[] = [Object.create(null), undefined, Symbol('s'), odd, 7n]
    await bus.publish(numbers(stream, 1, thrown.length + 1))
    const handled: number[] = []
    const throws = async ({ data: { n } }: { data: { n: number } }) => {
      if (n < thrown.length) throw thrown[n]
      handled.push(n)
    }
    const consumer = start(bus.consume({ stream, group: 'g', order, retryMs: [], handle: throws }))
    await eventually(() => isDone(stream))
    expect([handled, await bus.deadLetters(stream, 9)]).toMatchObject([[thrown.length], { length: 5 }])
    await consumer.stop()
  })

  it('payloads that are not in the last field do not make an answer too large', async () => {
    const stream = numberStream({ partitions: 1 })
    const { entries } = partitionKeys(stream.name, 0)
    const large = 'x'.repeat(1_500_000)
    for (let i = 0; i < 40; i++) await client.xadd(entries, '*', 'data', large, 'more', 'y')
    await bus.publish(numbers(stream, 1, 1))
    const handled: number[] = []
    const note = async ({ data }: { data: { n: number } }) => void handled.push(data.n)
    const consumer = start(bus.consume({ stream, group: 'g', order, handle: note }))
    await eventually(() => handled.length === 1)
    await eventually(async () => (await bus.deadLetters(stream, 50)).length === 40)
    await consumer.stop()
  })
})

it('a former owner finds no gate although its lease was deleted, and the epoch goes on', async () => {
  const stream = numberStream({ partitions: 1 })
  const handled: number[] = []
  const note = async ({ data }: { data: { n: number } }) => void handled.push(data.n)
  const consumer = start(bus.consume({ stream, group: 'g', order: 'key', handle: note }))
  const former = await nextGate(stream)
  await client.del(partitionKeys(stream.name, 0).lease('g'))
  const present = await nextGate(stream, former)
  const epochOf = (gate: string) => Number(gate.split(':').at(-1))
  expect(epochOf(present)).toBeGreaterThan(epochOf(former))
  await bus.publish(numbers(stream, 1, 5))
  await eventually(() => handled.length === 5)
  await consumer.stop()
})

it('a gate that is deleted alone holds nothing up', async () => {
  const stream = numberStream({ partitions: 1 })
  const handled: number[] = []
  const note = async ({ data }: { data: { n: number } }) => void handled.push(data.n)
  const consumer = start(bus.consume({ stream, group: 'g', order: 'key', handle: note }))
  const gate = await nextGate(stream)
  await client.del(gate)
  await bus.publish(numbers(stream, 1, 5))
  await eventually(() => handled.length === 5)
  expect(handled).toEqual([0, 1, 2, 3, 4])
  await consumer.stop()
})

it('members and leases of an hour ahead, from before the clock of the server went back, end in bounded time', async () => {
  const stream = numberStream({ partitions: 2 })
  const [seconds] = await client.time()
  const ahead = (Number(seconds) + 3_600) * 1_000
  await client.zadd(`members:${stream.name}:g`, ahead, 'gone')
  const keys = partitionKeys(stream.name, 0)
  await client.hset(keys.lease('g'), { owner: 'gone', epoch: 1, until: ahead })
  await bus.publish(numbers(stream, 16, 1))
  const handled: number[] = []
  const note = async ({ partition }: { partition: number }) => void handled.push(partition)
  const consumer = start(bus.consume({ stream, group: 'g', order: 'key', handle: note }))
  // The member was counted as living for one lease more; the lease for the longest that any may have.
  await eventually(() => handled.includes(1))
  const left = await eventually(async () => {
    const until = Number(await client.hget(keys.lease('g'), 'until'))
    return until < ahead && until - Date.now()
  })
  expect(left).toBeLessThan(70_000)
  await consumer.stop()
})

it('options that cannot work are refused with what is allowed', () => {
  const stream = numberStream()
  const consume = (more: object) => () =>
    bus.consume({ stream, group: 'g', order: 'key', handle: async () => {}, ...more })
  for (const more of [
    { concurrency: 0 },
    { concurrency: 1.5 },
    { timeoutMs: 0 },
    { timeoutMs: Number.NaN },
    { visibilityMs: -1 },
    { retryMs: [1, Number.NaN] },
    { crashesMax: 0 },
    { group: '' },
  ]) {
    expect(consume(more)).toThrow(/ is .*; allowed: /)
  }
  const halves = numbers(stream, 1, 1).map((event) => ({ ...event, id: 'a\ud800' }))
  return expect(bus.publish(halves)).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
})
