// What a handler may ask for besides its entry: more time, proof of ownership, and a place to publish what follows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HandlerContext, outgoing, type Stream } from '../../src/bus/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, type NumberStream, numberStream, openNotingBus, start } from './rig.ts'

let redis: TestRedis
let client: Redis
const buses: NotingBus[] = []

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
})
afterAll(async () => {
  await Promise.all(buses.map((bus) => bus.close()))
  await closeRedis(client)
  await redis.stop()
})

function open(): NotingBus {
  // Long leases: whoever loses a partition here loses it on purpose.
  const bus = openNotingBus(redis.url, systemClock, 4_000)
  buses.push(bus)
  return bus
}

const event = (into: NumberStream, key: string, n = 0) => outgoing(into, `${key}:${n}`, { key, n })
const any = (stream: NumberStream) => stream as unknown as Stream<unknown>
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

/** Says that it is at work until the condition holds. */
async function talk({ progress }: HandlerContext, until: () => boolean): Promise<void> {
  while (!until()) {
    progress()
    await systemClock.sleep(5)
  }
}

describe.concurrent.each(['key', 'none'] as const)('progress with order %s', (order) => {
  it('keeps a handler alive while the time of others beside it runs out', async () => {
    const stream = numberStream({ partitions: 1 })
    const bus = open()
    const ended: string[] = []
    // Two attempts of a silent one beside it: twice the time has passed for the one that talks.
    const isOver = () => bus.said.deadLettered.length === 1
    const consumer = start(
      bus.consume({
        ...{ stream, group: 'g', order, timeoutMs: 150, retryMs: [1] },
        async handle({ data, attempt }, context) {
          const { signal } = context
          if (data.key === 'silent') return untilAborted(signal)
          await talk(context, isOver)
          ended.push(`${data.key} ${attempt} ${signal.aborted ? 'aborted' : 'in time'}`)
        },
      }),
    )
    await bus.publish([event(stream, 'talks'), event(stream, 'silent')])
    await eventually(() => ended.length > 0)
    await consumer.stop()
    expect(ended).toEqual(['talks 1 in time'])
    const [letter] = await bus.deadLetters(any(stream), 9)
    expect(letter).toMatchObject({ key: 'silent', attempts: 2 })
    expect(letter!.reason).toContain('longer than 150 ms')
    for (const { groups } of (await bus.status(any(stream))).partitions) {
      expect(groups).toMatchObject([{ pending: 0, lag: 0 }])
    }
  })

  it('once it stops is no longer believed: the handler is aborted and its message comes again', async () => {
    const stream = numberStream({ partitions: 1 })
    const bus = open()
    const seen: string[] = []
    const consumer = start(
      bus.consume({
        ...{ stream, group: 'g', order, timeoutMs: 150, retryMs: [1, 1] },
        async handle({ data, attempt }, context) {
          if (data.key === 'silent') return untilAborted(context.signal)
          if (attempt === 1) {
            await talk(context, () => bus.said.retried.length > 0)
            await untilAborted(context.signal).finally(() => {
              // It has ended: to talk now brings nothing back.
              context.progress()
              seen.push('aborted')
            })
          }
          seen.push(`done at attempt ${attempt}`)
        },
      }),
    )
    await bus.publish([event(stream, 'talks'), event(stream, 'silent')])
    await eventually(() => seen.length === 2)
    await consumer.stop()
    expect(seen).toEqual(['aborted', 'done at attempt 2'])
  })
})

it('a handler at work beyond the visibility time-out keeps its entry, while a silent one loses its own', async () => {
  const stream = numberStream({ partitions: 1 })
  const [first, second] = [open(), open()]
  const taken: string[] = []
  await first.publish([event(stream, 'ghost')])
  // A consumer that took an entry and is never heard of again.
  await client.xgroup('CREATE', `{${stream.name}:0}`, 'g', '0')
  await client.xreadgroup('GROUP', 'g', 'ghost', 'COUNT', 1, 'STREAMS', `{${stream.name}:0}`, '>')
  const consume = (bus: NotingBus, name: string) =>
    start(
      bus.consume({
        ...{ stream, group: 'g', order: 'none', visibilityMs: 900, timeoutMs: 1_400, retryMs: [] },
        async handle({ data }, context) {
          taken.push(`${name} ${data.key}`)
          if (data.key === 'silent') await untilAborted(context.signal)
          if (data.key === 'talks') await talk(context, () => first.said.deadLettered.length > 0)
        },
      }),
    )
  const one = consume(first, 'first')
  await first.publish([event(stream, 'talks'), event(stream, 'silent')])
  await eventually(() => taken.length >= 2)
  const two = consume(second, 'second')
  // Longer than the visibility time-out has passed for all three when the silent one is cut off.
  await eventually(() => taken.some((what) => what.endsWith('ghost')) && first.said.deadLettered.length > 0)
  await Promise.all([one.stop(), two.stop()])
  expect(taken.filter((what) => !what.endsWith('ghost')).sort()).toEqual(['first silent', 'first talks'])
  expect(second.said.deadLettered).toEqual([])
})

describe.concurrent('what a handler publishes', () => {
  it.for(['key', 'none'] as const)('is stored, once for each id (order %s)', async (order, { expect }) => {
    const stream = numberStream({ partitions: 1 })
    const out = numberStream({ partitions: 1 })
    const bus = open()
    const owners: unknown[] = []
    const receipts: boolean[] = []
    const consumer = start(
      bus.consume({
        ...{ stream, group: 'g', order },
        async handle({ data }, { publish, ownership }) {
          owners.push(ownership?.resource)
          for (let i = 0; i < 2; i++) {
            const [receipt] = await publish([event(out, 'a', data.n)])
            receipts.push(receipt!.duplicate)
          }
        },
      }),
    )
    await bus.publish([event(stream, 'a', 7)])
    await eventually(() => receipts.length === 2)
    await consumer.stop()
    expect(receipts).toEqual([false, true])
    expect((await bus.readBack(out, 0, '0-0', 9)).map(({ data }) => data)).toEqual([{ key: 'a', n: 7 }])
    expect(owners).toEqual([order === 'key' ? `${stream.name}/0/g` : undefined])
  })

  it('is refused after a later owner has published, and the later owner goes on', async ({ expect }) => {
    const stream = numberStream({ partitions: 1 })
    const out = numberStream({ partitions: 1 })
    const gate = Promise.withResolvers<void>()
    const told: string[] = []
    const consume = (name: string, before: (signal: AbortSignal) => Promise<unknown>) => {
      const bus = open()
      const task = bus.consume({
        ...{ stream, group: 'g', order: 'key' },
        async handle({ data }, { signal, publish, ownership }) {
          told.push(`${name} begins`)
          await before(signal)
          const code = await publish([event(out, name, data.n)]).then(
            () => 'stored',
            (error) => error.code as string,
          )
          told.push(`${name} ${code}`)
          epochs.set(name, ownership!.epoch)
        },
      })
      return start(task)
    }
    const epochs = new Map<string, number>()
    const former = consume('former', () => gate.promise)
    await open().publish([event(stream, 'a')])
    await eventually(() => told.length === 1)
    // Asked to stop, it takes no partition again; then its lease runs out on the server while it stands still.
    const stopped = former.stop()
    await client.hset(`{${stream.name}:0}:lease:g`, 'owner', '', 'until', 0)
    const later = consume('later', async () => {})
    await eventually(() => told.includes('later stored'))
    gate.resolve()
    await eventually(() => told.length === 4)
    await Promise.all([stopped, later.stop()])
    // Whether the former one has heard of its loss by then is a matter of its next renewal.
    expect(told.slice(1)).toEqual(['later begins', 'later stored', 'former OWNERSHIP_LOST'])
    expect(epochs.get('later')).toBeGreaterThan(epochs.get('former')!)
    const stored = await buses.at(-1)!.readBack(out, 0, '0-0', 9)
    expect(stored.map(({ data }) => data.key)).toEqual(['later'])
  })
})
