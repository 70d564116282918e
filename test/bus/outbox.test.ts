// Inbox and outbox on both databases, and the relay between the outbox and a real bus.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { enqueue, enqueueTell, firstTime, type Outgoing, openRelay, outgoing } from '../../src/bus/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, type NumberStream, numberStream, numbers, openNotingBus } from './rig.ts'

let redis: TestRedis
let bus: NotingBus

beforeAll(async () => {
  redis = await startRedis()
  bus = openNotingBus(redis.url)
})
afterAll(async () => {
  await bus.close()
  await redis.stop()
})

describe.each(drivers)('on %s', (driver) => {
  let test: TestDatabase
  beforeEach(async () => {
    test = await openTestDatabase(driver)
  })
  afterEach(() => test.close())

  const commit = (events: readonly Outgoing[]) => test.database.write((tx) => enqueue(tx, events))
  const rowsLeft = () =>
    test.database.read(async ({ sql, t }) => (await sql.select().from(t.outbox)).map((row) => row.eventId))
  const stored = async (stream: NumberStream) =>
    (await bus.readBack(stream, 0, '0-0', 10_000)).map(({ data }) => data.n)
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

  it('says everything once and in order with two relays at once', async () => {
    const stream = numberStream({ partitions: 1 })
    await commit(numbers(stream, 1, 1_700))
    const relays = [
      openRelay({ bus, database: test.database, streams: [stream] }),
      openRelay({ bus, database: test.database, streams: [stream] }),
    ]
    await Promise.all(relays.map((relay) => relay.drain()))
    expect(await stored(stream)).toEqual(upTo(1_700))
    expect(await rowsLeft()).toEqual([])
  })

  it('says nothing twice when a relay ends between publishing and deleting', async () => {
    const stream = numberStream({ partitions: 1 })
    await commit(numbers(stream, 1, 20))
    // What a relay leaves that dies at that point: stored in Redis, and still a row.
    await bus.publish(numbers(stream, 1, 12))
    await openRelay({ bus, database: test.database, streams: [stream] }).drain()
    expect(await stored(stream)).toEqual(upTo(20))
  })

  it('passes rows that can never be published, reports them, and says them once it can', async () => {
    const stream = numberStream({ partitions: 1, maxPayloadBytes: 100 })
    const unknown = numberStream()
    const wide = { ...stream, maxPayloadBytes: 1_000 }
    await commit([
      ...numbers(unknown, 1, 600),
      outgoing(wide, 'large', { key: 'x'.repeat(200), n: 0 }),
      ...numbers(stream, 1, 10).map((event) => ({ ...event, id: `known ${event.id}` })),
    ])
    bus.said.disturbed.length = 0
    await openRelay({ bus, database: test.database, streams: [stream] }).drain()
    expect(await stored(stream)).toEqual(upTo(10))
    expect((await rowsLeft()).length).toBe(601)
    expect(bus.said.disturbed.some(({ reason }) => reason.includes('no stream here'))).toBe(true)
    expect(bus.said.disturbed.some(({ reason }) => reason.includes('allowed are 100'))).toBe(true)
    await openRelay({ bus, database: test.database, streams: [wide, unknown] }).drain()
    expect(await rowsLeft()).toEqual([])
  })

  it('holds back only the rows of a stream that is full, and says them in order later', async () => {
    const full = numberStream({ partitions: 1, maxEntries: 5 })
    const other = numberStream({ partitions: 1 })
    await commit([
      ...numbers(full, 1, 1_600),
      ...numbers(other, 1, 600).map((event) => ({ ...event, id: `other ${event.id}` })),
    ])
    let reads = 0
    const read: typeof test.database.read = (work) => {
      reads++
      return test.database.read(work)
    }
    await openRelay({ bus, database: { ...test.database, read }, streams: [full, other] }).drain()
    // 500 rows, and the 600 of the other: what waits may be days old, and every commit looks.
    expect(reads).toBe(3)
    expect(await stored(other)).toEqual(upTo(600))
    expect(await stored(full)).toEqual(upTo(5))
    await openRelay({
      bus,
      database: test.database,
      streams: [{ ...full, maxEntries: 2_000 }, other],
    }).drain()
    expect(await stored(full)).toEqual(upTo(1_600))
    expect(await rowsLeft()).toEqual([])
  })

  it('takes 5,000 events and a channel message in one transaction, and none of one that fails', async () => {
    const stream = numberStream({ partitions: 1 })
    await test.database.write(async (tx) => {
      await enqueue(tx, numbers(stream, 1, 5_000))
      await enqueueTell(tx, 'drops', 'x')
    })
    await expect(commit([outgoing(stream, 'bad', { key: 'a', n: 0.5 })])).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
    })
    const told: string[] = []
    const speakers = { drops: async (messages: readonly string[]) => void told.push(...messages) }
    const relay = openRelay({ bus, database: test.database, streams: [stream], speakers })
    const controller = new AbortController()
    const task = relay.task(controller.signal)
    await eventually(async () => (await rowsLeft()).length === 0)
    controller.abort()
    await task
    expect((await stored(stream)).length).toBe(5_000)
    expect(told).toEqual(['x'])
  })

  it('lets exactly one of many transactions at once meet an event for the first time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => test.database.write((tx) => firstTime(tx, 'g', 'event', 1))),
    )
    expect(answers.filter(Boolean).length).toBe(1)
    expect(await test.database.write((tx) => firstTime(tx, 'other group', 'event', 1))).toBe(true)
    const failing = test.database.write(async (tx) => {
      await firstTime(tx, 'g', 'undone', 1)
      throw new Error('the effect failed')
    })
    await expect(failing).rejects.toThrow('the effect failed')
    expect(await test.database.write((tx) => firstTime(tx, 'g', 'undone', 1))).toBe(true)
  })
})
