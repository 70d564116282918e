// What happens to a bus whose server is killed, frozen, cut off, flushed or full; on a real server of its own.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { partitionKeys } from '../../src/bus/index.ts'
import { type Clock, systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, type NumberStream, numberStream, numbers, openNotingBus, start } from './rig.ts'

let redis: TestRedis
let client: Redis
let bus: NotingBus
const warnings: Error[] = []
const onWarning = (warning: Error) => warnings.push(warning)

beforeEach(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
  bus = openNotingBus(redis.url)
  warnings.length = 0
  process.on('warning', onWarning)
})
afterEach(async () => {
  process.off('warning', onWarning)
  await Promise.all([bus.close(), closeRedis(client)])
  await redis.stop()
  // A listener too many is a leak. (Each server that a test starts listens to the end of this process.)
  const leaks = warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')
  expect(leaks.map(({ message }) => message).filter((message) => !message.includes('[process]'))).toEqual([])
})

/** Publishes until Redis takes it, as a publisher must. */
async function publishSurely(stream: NumberStream, keys: number, each: number, from: number): Promise<void> {
  await eventually(() => bus.publish(numbers(stream, keys, each, from)), { what: 'published' })
}

/** Entries of all keys in the order in which they were handled; a repetition counts once. */
function collector() {
  const seen = new Map<string, number[]>()
  const faults: string[] = []
  const handle = async ({ data: { key, n } }: { data: { key: string; n: number } }) => {
    const numbers = seen.get(key) ?? []
    seen.set(key, numbers)
    if (n > numbers.length) faults.push(`${key}: ${n} after ${numbers.length - 1}`)
    if (n === numbers.length) numbers.push(n)
  }
  return { handle, faults, count: () => [...seen.values()].reduce((sum, list) => sum + list.length, 0) }
}

const shorten = { retryMs: [10, 10, 10] }

describe.each(['key', 'none'] as const)('a consumer with order %s', (order) => {
  const consume = (stream: NumberStream, handle: ReturnType<typeof collector>['handle']) =>
    start(bus.consume({ stream, group: 'g', order, handle, ...shorten }))

  it('loses nothing when Redis is killed and comes back, under publishers', async () => {
    const stream = numberStream()
    const got = collector()
    const consumer = consume(stream, got.handle)
    for (let round = 0; round < 4; round++) {
      const publishing = publishSurely(stream, 8, 100, round * 100)
      if (round % 2 === 1) await redis.restart()
      await publishing
    }
    if (order === 'key') await eventually(() => got.count() === 3_200, { what: '3,200 entries' })
    await eventually(() => isDone(stream), { what: 'everything acknowledged' })
    if (order === 'key') expect(got.faults).toEqual([])
    await consumer.stop()
  })

  it('loses nothing when all connections are cut again and again', async () => {
    const stream = numberStream()
    const handled = new Set<string>()
    const got = collector()
    const consumer = start(
      bus.consume({
        stream,
        group: 'g',
        order,
        async handle(entry) {
          handled.add(entry.id)
          await got.handle(entry)
        },
      }),
    )
    for (let round = 0; round < 15; round++) {
      const publishing = publishSurely(stream, 8, 25, round * 25)
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await publishing
    }
    await eventually(() => handled.size === 3_000, { what: '3,000 entries' })
    await eventually(() => isDone(stream), { what: 'everything acknowledged' })
    if (order === 'key') expect(got.faults).toEqual([])
    await consumer.stop()
    expect((await bus.deadLetters(stream, 1)).length).toBe(0)
  })

  it('goes on after a FLUSHALL, says that something is missing, and does not spin', async () => {
    const stream = numberStream()
    const handled = new Set<string>()
    const consumer = start(
      bus.consume({ stream, group: 'g', order, handle: async ({ id }) => void handled.add(id) }),
    )
    await bus.publish(numbers(stream, 4, 10))
    await eventually(() => handled.size === 40)
    await client.flushall()
    const before = Number((await client.info('stats')).match(/total_commands_processed:(\d+)/)![1])
    await eventually(() => bus.said.lost.length > 0, { what: 'the loss reported' })
    await publishSurely(stream, 4, 10, 10)
    await eventually(() => handled.size === 80, { what: 'what came after' })
    const after = Number((await client.info('stats')).match(/total_commands_processed:(\d+)/)![1])
    expect(after - before).toBeLessThan(5_000)
    expect(await client.smembers(`groups:${stream.name}`)).toEqual(['g'])
    await consumer.stop()
  })

  it('ends in time when Redis is gone, or frozen, at its end', async () => {
    for (const fault of ['gone', 'frozen'] as const) {
      const stream = numberStream()
      let isHeld = false
      const finish = Promise.withResolvers<void>()
      const consumer = start(
        bus.consume({
          stream,
          group: 'g',
          order,
          async handle() {
            isHeld = true
            await finish.promise
          },
        }),
      )
      await bus.publish(numbers(stream, 2, 1))
      await eventually(() => isHeld)
      if (fault === 'gone') await redis.kill()
      else redis.pause()
      const stopping = consumer.stop()
      finish.resolve()
      // Within the 10 s that a worker has to drain.
      await eventually(() => stopping.then(() => true), { timeoutMs: 10_000, what: `the end while ${fault}` })
      if (fault === 'gone') await redis.restart()
      else redis.resume()
      await eventually(() => client.ping())
    }
  })

  it('keeps its place when memory is full, and publishers go on after a trim', async () => {
    const stream = numberStream({ retentionMs: 0, partitions: 1 })
    const handled = new Set<string>()
    const gate = Promise.withResolvers<void>()
    const consumer = start(
      bus.consume({
        stream,
        group: 'g',
        order,
        async handle({ id }) {
          await gate.promise
          handled.add(id)
        },
      }),
    )
    await bus.publish(numbers(stream, 4, 250))
    await eventually(async () => (await bus.status(stream)).partitions[0]!.groups[0]!.pending > 0)
    await client.config('SET', 'maxmemory', '1')
    await expect(bus.publish(numbers(stream, 1, 1, 9_000))).rejects.toMatchObject({ code: 'OVERLOADED' })
    const takeOvers = bus.said.tookOver.length
    gate.resolve()
    await eventually(() => handled.size === 1_000, { what: 'everything handled while memory is full' })
    await eventually(() => isDone(stream), { what: 'everything acknowledged while memory is full' })
    expect(bus.said.tookOver.length).toBe(takeOvers)
    expect(bus.said.fenced).toEqual([])
    expect(await bus.trim(stream)).toBeGreaterThan(900)
    await client.config('SET', 'maxmemory', '0')
    // What was refused was not half remembered as published.
    expect((await bus.publish(numbers(stream, 1, 1, 9_000)))[0]!.duplicate).toBe(false)
    await consumer.stop()
  })

  it('moves aside what another program keeps under its keys, says so, and goes on', async () => {
    const stream = numberStream({ partitions: 1 })
    const keys = partitionKeys(stream.name, 0)
    const got = collector()
    await client.set(keys.entries, 'not a stream')
    await client.set(`groups:${stream.name}`, 'not a set')
    const consumer = consume(stream, got.handle)
    await publishSurely(stream, 8, 10, 0)
    await eventually(() => got.count() === 80, { what: 'what was published beside a misplaced key' })
    await client.pipeline().del(keys.entries).set(keys.entries, 'not a stream again').exec()
    await eventually(() => toldOf(stream).filter((reason) => reason.includes('another program')).length === 3)
    await publishSurely(stream, 8, 10, 10)
    await eventually(() => got.count() === 160, {
      what: 'what was published beside a key misplaced meanwhile',
    })
    const [first, again] = (await client.keys(`${keys.entries}:misplaced:*`)).sort()
    expect([await client.get(first!), await client.get(again!)]).toEqual([
      'not a stream',
      'not a stream again',
    ])
    await consumer.stop()
  })
})

const toldOf = (stream: NumberStream) =>
  bus.said.lost.filter((fact) => fact.stream === stream.name).map(({ reason }) => reason)

async function isDone(stream: NumberStream): Promise<boolean> {
  const { partitions } = await bus.status(stream)
  return partitions.every(({ groups }) => groups.length > 0 && groups.every(({ lag }) => lag === 0))
}

it('gives its partitions up when Redis is frozen past the lease, and takes them again', async () => {
  const stream = numberStream()
  const got = collector()
  const consumer = start(bus.consume({ stream, group: 'g', order: 'key', handle: got.handle }))
  await publishSurely(stream, 8, 10, 0)
  await eventually(() => got.count() === 80)
  redis.pause()
  await eventually(() => bus.said.fenced.length === 4, { what: 'all four given up' })
  redis.resume()
  await publishSurely(stream, 8, 10, 10)
  await eventually(() => got.count() === 160, { what: 'what came after' })
  expect(got.faults).toEqual([])
  await consumer.stop()
})

it('tells that the server is away as one cause of whatever it disturbs', async () => {
  const [ordered, shared] = [numberStream(), numberStream()]
  const got = collector()
  const consumers = [
    start(bus.consume({ stream: ordered, group: 'g', order: 'key', handle: got.handle })),
    start(bus.consume({ stream: shared, group: 'h', order: 'none', handle: got.handle })),
  ]
  await publishSurely(ordered, 4, 1, 0)
  await eventually(() => got.count() === 4)
  await redis.kill()
  const places = () => new Set(bus.said.disturbed.map(({ where }) => where))
  await eventually(() => places().size > 5, { what: 'many places disturbed' })
  expect(bus.said.disturbed.filter(({ passing }) => !passing)).toEqual([])
  await redis.restart()
  await Promise.all(consumers.map((consumer) => consumer.stop()))
})

it('does not care about jumps of the wall clock', async () => {
  let offsetMs = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + offsetMs }
  const jumping = openNotingBus(redis.url, clock)
  const stream = numberStream()
  const got = collector()
  const consumer = start(jumping.consume({ stream, group: 'g', order: 'key', handle: got.handle }))
  for (const [round, jumpMs] of [0, 86_400_000, -172_800_000, 3_600_000].entries()) {
    offsetMs += jumpMs
    await jumping.publish(numbers(stream, 8, 25, round * 25))
    // The same again under another time is still the same.
    const again = await jumping.publish(numbers(stream, 8, 25, round * 25))
    expect(again.every(({ duplicate }) => duplicate)).toBe(true)
  }
  await eventually(() => got.count() === 800)
  expect([got.faults, jumping.said.fenced, jumping.said.lost]).toEqual([[], [], []])
  await consumer.stop()
  await jumping.close()
})

it('resumes listening after its connection is cut, and says when it hears again', async () => {
  let readies = 0
  const heard: string[] = []
  const listener = start(
    bus.listen(
      ['news:*'],
      (_, message) => {
        if (message === 'bad') throw new Error('one message must not end the process')
        heard.push(message)
      },
      () => void readies++,
    ),
  )
  await eventually(() => readies === 1)
  await bus.tell('news:a', 'bad')
  await bus.tell('news:a', 'one')
  await eventually(() => heard.length === 1)
  // No fault of the server, so it is told beside whatever that disturbs.
  expect(bus.said.disturbed.map(({ passing }) => passing)).toEqual([false])
  await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await eventually(() => readies === 2)
  await bus.tell('news:a', 'two')
  await eventually(() => heard.length === 2)
  redis.pause()
  await eventually(() => bus.said.disturbed.some(({ reason }) => reason.includes('no answer')), {
    what: 'the frozen server noticed',
  })
  redis.resume()
  await eventually(() => readies >= 3)
  await bus.tell('news:a', 'three')
  await eventually(() => heard.includes('three'))
  await listener.stop()
})
