// What `publish` confirms and refuses; on a real server.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { defineStream, outgoing } from '../../src/bus/index.ts'
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
  await Promise.all([bus.close(), closeRedis(client)])
  await redis.stop()
})

async function stored(stream: NumberStream): Promise<Map<string, number[]>> {
  const byKey = new Map<string, number[]>()
  for (let partition = 0; partition < stream.partitions; partition++) {
    for (const { data } of await bus.readBack(stream, partition, '0-0', 100_000)) {
      byKey.set(data.key, [...(byKey.get(data.key) ?? []), data.n])
    }
  }
  return byKey
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

it('keeps the order of each key in a batch of 10,000 events, and numbers each partition without holes', async () => {
  const stream = numberStream()
  // The scripts are unknown to a server that has just started.
  await client.script('FLUSH')
  const receipts = await bus.publish(numbers(stream, 10, 1_000))
  expect(receipts.length).toBe(10_000)
  const byKey = await stored(stream)
  for (let k = 0; k < 10; k++) expect(byKey.get(`k${k}`)).toEqual(upTo(1_000))
  for (let partition = 0; partition < 4; partition++) {
    const entries = await bus.readBack(stream, partition, '0-0', 100_000)
    expect(entries.map(({ sequence }) => sequence)).toEqual(upTo(entries.length).map((i) => i + 1))
  }
})

it('refuses beyond the hard limit, keeps the order over every retry, and goes on after a trim', async () => {
  const stream = numberStream({ partitions: 1, maxEntries: 500, retentionMs: 0 })
  const seen: number[] = []
  const consumer = start(
    bus.consume({
      stream,
      group: 'g',
      order: 'key',
      async handle({ data }) {
        seen.push(data.n)
      },
    }),
  )
  let refusals = 0
  await eventually(
    async () => {
      try {
        return await bus.publish(numbers(stream, 1, 2_000))
      } catch (error) {
        expect(error).toMatchObject({ code: 'OVERLOADED', facts: { stream: stream.name, partition: 0 } })
        refusals++
        await bus.trim(stream)
        return undefined
      }
    },
    { what: 'all 2,000 stored' },
  )
  expect(refusals).toBeGreaterThan(2)
  await eventually(() => seen.length === 2_000)
  expect(seen).toEqual(upTo(2_000))
  expect(bus.said.refused.length).toBeGreaterThan(2)
  await consumer.stop()
})

it('one event at a time leaves what a batch of the same events leaves, and refuses the same', async () => {
  const left = async (stream: NumberStream) => {
    const name = `{${stream.name}:0}`
    const entries = (await client.xrange(name, '-', '+')) as [string, string[]][]
    return {
      fields: entries.map(([, fields]) => fields),
      ids: (await client.smembers(`${name}:ids:new`)).sort(),
      sequence: await client.hget(`${name}:meta`, 'sequence'),
    }
  }
  const more = { time: 7, type: 't', traceparent: 'p' }
  const eventsOf = (into: NumberStream) =>
    ['a', 'b', 'a', 'c', 'd', 'b', 'e'].map((id, n) =>
      outgoing(into, id, { key: 'k', n }, n % 2 === 0 ? more : {}),
    )
  const [single, batch] = [
    numberStream({ partitions: 1, maxEntries: 4 }),
    numberStream({ partitions: 1, maxEntries: 4 }),
  ]
  const outcomes: string[] = []
  for (const event of eventsOf(single)) {
    await bus.publish([event]).then(
      ([receipt]) => outcomes.push(`${event.id} ${receipt!.duplicate ? 'known' : 'stored'}`),
      (error) => outcomes.push(`${event.id} ${error.code}`),
    )
  }
  expect(outcomes).toEqual([
    ...['a stored', 'b stored', 'a known', 'c stored', 'd stored'],
    ...['b known', 'e OVERLOADED'],
  ])
  await expect(bus.publish(eventsOf(batch))).rejects.toMatchObject({ code: 'OVERLOADED' })
  expect(await left(single)).toEqual(await left(batch))
  expect(await left(single)).toMatchObject({ ids: ['a', 'b', 'c', 'd'], sequence: '4' })
  // What was refused is not taken for known.
  await client.xtrim(`{${single.name}:0}`, 'MAXLEN', 1)
  expect(await bus.publish([eventsOf(single).at(-1)!])).toMatchObject([{ duplicate: false }])
})

it.each(['', ':meta', ':ids:new', ':ids:old'])(
  'stores an event also when another program has taken the key "%s"',
  async (suffix) => {
    const stream = numberStream({ partitions: 1 })
    await client.set(`{${stream.name}:0}${suffix}`, 'taken')
    expect(await bus.publish(numbers(stream, 1, 1))).toMatchObject([{ duplicate: false }])
    expect(await bus.publish(numbers(stream, 1, 2))).toMatchObject([
      { duplicate: true },
      { duplicate: false },
    ])
    const entries = await bus.readBack(stream, 0, '0-0', 9)
    expect(entries.map(({ data, sequence }) => [data.n, sequence])).toEqual([
      [0, 1],
      [1, 2],
    ])
  },
)

it('remembers an id over the turn of its sets, and forgets it two turns later', async () => {
  const stream = numberStream({ partitions: 1, dedupeMs: 150 })
  const publish = async (n: number) => (await bus.publish(numbers(stream, 1, 1, n)))[0]!.duplicate
  const turned = async () => Number(await client.hget(`{${stream.name}:0}:meta`, 'turned'))
  expect(await publish(0)).toBe(false)
  let other = 1
  /** Publishes other events until the sets take their turn. */
  const turn = async () => {
    const before = await turned()
    await eventually(async () => {
      await publish(other++)
      return (await turned()) > before
    })
  }
  await turn()
  expect(await publish(0)).toBe(true)
  await turn()
  expect(await publish(0)).toBe(false)
})

it('stores nothing of what is no valid event, and says what is wrong', async () => {
  const any = defineStream<unknown>({
    name: 'any',
    about: '',
    shape: z.unknown(),
    key: () => '',
    maxPayloadBytes: 100,
  })
  const circle: { self?: unknown } = {}
  circle.self = circle
  for (const data of [undefined, 1n, circle, () => 1]) {
    await expect(bus.publish([outgoing(any, 'id', data)])).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
  }
  await expect(bus.publish([outgoing(any, '', 1)])).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
  const large = 'é'.repeat(60)
  await expect(bus.publish([outgoing(any, 'id', large)])).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    facts: { bytes: 122, max: 100 },
  })
  const stream = numberStream()
  const wrong = outgoing(stream, 'id', { key: 'a', n: 0.5 })
  await expect(bus.publish([...numbers(stream, 1, 1), wrong])).rejects.toMatchObject({
    code: 'PAYLOAD_INVALID',
  })
  expect((await stored(stream)).size).toBe(0)
  expect(await client.exists('{any:0}')).toBe(0)
})

it('buries what an outside program adds when it cannot be read, and hands out the rest', async () => {
  const stream = numberStream({ partitions: 1, maxPayloadBytes: 1_000_000 })
  const key = `{${stream.name}:0}`
  const seen: { id: string; n: number; time: number }[] = []
  const consumer = start(
    bus.consume({
      stream,
      group: 'g',
      order: 'key',
      handle: async ({ id, data, time }) => void seen.push({ id, n: data.n, time }),
    }),
  )
  await client.xadd(key, '5-1', 'data', '{"key":"a","n":1}')
  await client.xadd(key, '5-2', 'nothing', 'here')
  await client.xadd(key, '5-3', 'data', '{')
  await client.xadd(key, '5-4', 'data', '{"key":"a","n":"x"}')
  await client.xadd(key, '5-5', 'data', `{"key":"a","n":1,"more":"${'x'.repeat(1_000_001)}"}`)
  await client.xadd(key, '5-6', 'data', '{"key":"a","n":2}', 'time', '1e300', 'sequence', 'many')
  // Two ids that a float64 cannot tell apart.
  await client.xadd(key, '9223372036854775806-1', 'data', '{"key":"a","n":3}')
  await client.xadd(key, '9223372036854775807-1', 'data', '{"key":"a","n":4}')
  await eventually(() => seen.length === 4)
  expect(seen.map(({ n }) => n)).toEqual([1, 2, 3, 4])
  for (const { time } of seen) expect(() => new Date(time).toISOString()).not.toThrow()
  const letters = await eventually(async () => {
    const list = await bus.deadLetters(stream, 10)
    return list.length === 4 ? list : undefined
  })
  expect(letters.map(({ originEntry }) => originEntry).sort()).toEqual(['5-2', '5-3', '5-4', '5-5'])
  await consumer.stop()
})
