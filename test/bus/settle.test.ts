// A fold whose `apply` begins durable work elsewhere: what `settle` waits for is not acknowledged before.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, type Numbered, numberStream, numbers, openNotingBus, start } from './rig.ts'

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

const pendingOf = async (stream: ReturnType<typeof numberStream>) => {
  const { partitions } = await bus.status(stream)
  return partitions.flatMap(({ groups }) => groups).reduce((sum, { pending }) => sum + pending, 0)
}

/** What `apply` saw is written only when the gate lets it. */
function slowFold(seen: Numbered[], gate: Promise<void>) {
  const stream = numberStream({ partitions: 1 })
  const task = bus.fold<Numbered, null>({
    stream,
    group: 'g',
    start: () => null,
    apply(_, { data }) {
      seen.push(data)
      return { events: [] }
    },
    settle: () => gate,
    save: () => 'null',
    load: () => null,
  })
  return { stream, task }
}

it('acknowledges a batch only after its work is settled', async () => {
  const seen: Numbered[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const { stream, task } = slowFold(seen, promise)
  await bus.publish(numbers(stream, 2, 5))
  const running = start(task)
  await eventually(() => seen.length === 10, { what: 'everything is applied' })
  expect(await pendingOf(stream)).toBe(10)
  resolve()
  await eventually(async () => (await pendingOf(stream)) === 0, { what: 'everything is acknowledged' })
  await running.stop()
})

it('ends with what settling was rejected with, and gives the batch again to the next', async () => {
  const seen: Numbered[] = []
  const { promise, reject } = Promise.withResolvers<void>()
  const { stream, task } = slowFold(seen, promise)
  await bus.publish(numbers(stream, 2, 5))
  const running = start(task)
  await eventually(() => seen.length === 10, { what: 'everything is applied' })
  reject(new Error('the disk is gone'))
  await expect(running.done).rejects.toThrow('the disk is gone')
  const again: Numbered[] = []
  const next = start(
    bus.fold<Numbered, null>({
      stream,
      group: 'g',
      start: () => null,
      apply(_, { data }) {
        again.push(data)
        return { events: [] }
      },
      save: () => 'null',
      load: () => null,
    }),
  )
  await eventually(() => again.length === 10, { what: 'the next one has applied it again' })
  await next.stop()
})

/** Keeps trying until its signal aborts, as one does whose disk is full. */
const keepTrying = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => {
    const end = () => reject(new Error('the disk is full'))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })

it('a stop does not wait for what cannot be settled: it stays pending, and the checkpoint before it', async () => {
  const stream = numberStream({ partitions: 1 })
  const seen: number[] = []
  const options = {
    ...{ stream, group: 'g' },
    start: () => ({ sum: 0 }),
    apply(state: { sum: number }) {
      seen.push(++state.sum)
      return { events: [] }
    },
    save: JSON.stringify,
    load: JSON.parse,
  }
  await bus.publish(numbers(stream, 2, 5))
  const full = start(
    bus.fold<Numbered, { sum: number }>({ ...options, settle: (_, signal) => keepTrying(signal) }),
  )
  await eventually(() => seen.length === 10, { what: 'everything is applied' })
  await full.stop()
  expect(await pendingOf(stream)).toBe(10)
  seen.length = 0
  const next = start(bus.fold<Numbered, { sum: number }>(options))
  await eventually(async () => (await pendingOf(stream)) === 0, { what: 'everything is acknowledged' })
  // From the state before them, not from one that holds them already.
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  await next.stop()
})

it('a fatal error of one partition ends the task although another waits for its disk', async () => {
  const stream = numberStream({ partitions: 2 })
  const waiting = new Set<number>()
  await bus.publish(numbers(stream, 16, 1))
  const running = start(
    bus.fold<Numbered, { partition: number }>({
      ...{ stream, group: 'g' },
      start: () => ({ partition: -1 }),
      apply(state, { partition }) {
        state.partition = partition
        return { events: [] }
      },
      async settle({ partition }, signal) {
        waiting.add(partition)
        if (partition === 0) return keepTrying(signal)
        await eventually(() => waiting.size === 2, { what: 'both partitions settle' })
        throw new Error('the disk is gone')
      },
      save: JSON.stringify,
      load: JSON.parse,
    }),
  )
  await expect(running.done).rejects.toThrow('the disk is gone')
})
