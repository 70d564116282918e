// At least once, in order of the key, by one owner at a time; on a real server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type Bus,
  defineStream,
  type OpenBus,
  openBus,
  outgoing,
  Reject,
  RetryAfter,
} from '../../src/bus/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let redis: TestRedis
const buses: OpenBus[] = []

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await Promise.all(buses.map((bus) => bus.close()))
  await redis.stop()
})

const bus = (): OpenBus => {
  const opened = openBus({ url: redis.url, clock: systemClock, leaseMs: 1_000, visibilityMs: 1_000 })
  buses.push(opened)
  return opened
}

let streams = 0
const stream = (partitions = 4) =>
  defineStream({
    name: `orders${streams++}`,
    about: 'numbers of a key',
    shape: z.object({ key: z.string(), n: z.number().int() }),
    key: (data: { key: string; n: number }) => data.key,
    partitions,
  })

const publishNumbers = async (to: Bus, into: ReturnType<typeof stream>, keys: number, each: number) => {
  const events = Array.from({ length: keys * each }, (_, i) => {
    const key = `k${i % keys}`
    const n = Math.floor(i / keys)
    return outgoing(into, `${key}:${n}`, { key, n })
  })
  await to.publish(events)
}

/** Starts a task; `stop` drains it. */
function start(task: (signal: AbortSignal) => Promise<void>) {
  const controller = new AbortController()
  const done = task(controller.signal)
  done.catch(() => {})
  return {
    async stop() {
      controller.abort()
      await done
    },
  }
}

describe.each(['key', 'none'] as const)('a group with order %s', (order) => {
  it('handles every entry once while nothing fails, and leaves nothing pending', async () => {
    const s = stream()
    const b = bus()
    await publishNumbers(b, s, 16, 50)
    const seen: string[] = []
    const handle = async (entry: { id: string }) => void seen.push(entry.id)
    const consumer = start(b.consume({ stream: s, group: 'g', order, handle }))
    await eventually(() => seen.length >= 800, { what: '800 entries' })
    await consumer.stop()
    expect(new Set(seen).size).toBe(800)
    expect(seen.length).toBe(800)
    const status = await b.status(s)
    for (const { groups } of status.partitions) expect(groups).toMatchObject([{ pending: 0, lag: 0 }])
  })

  it('tries a failed entry again and buries what never succeeds, without holding up others', async () => {
    const s = stream()
    const b = bus()
    const attempts = new Map<string, number>()
    const done = new Set<string>()
    const consumer = start(
      b.consume({
        stream: s,
        group: 'g',
        order,
        retryMs: [5, 5],
        async handle(entry) {
          attempts.set(entry.id, (attempts.get(entry.id) ?? 0) + 1)
          if (entry.data.key === 'poison') throw new Error('poisoned')
          if (entry.data.key === 'refused') throw new Reject('never')
          if (entry.data.key === 'flaky' && entry.attempt < 3) throw new Error('flaky')
          if (entry.data.key === 'later' && attempts.get(entry.id)! < 6) throw new RetryAfter(1, 'not yet')
          done.add(entry.id)
        },
      }),
    )
    const keys = ['poison', 'refused', 'flaky', 'later', 'good']
    await b.publish(keys.map((key) => outgoing(s, key, { key, n: 0 })))
    await eventually(() => done.size === 3, { what: 'the three that can succeed' })
    const dead = await eventually(async () => {
      const letters = await b.deadLetters(s as never, 10)
      return letters.length === 2 ? letters : undefined
    })
    expect(dead.map((d) => [d.key, d.attempts, d.reason]).sort()).toEqual([
      ['poison', 3, 'poisoned'],
      ['refused', 1, 'never'],
    ])
    expect(attempts.get('later')).toBe(6)
    await consumer.stop()
  })

  it('gives a dead letter back to its own group only, edited, and under its old id', async () => {
    const s = stream()
    const b = bus()
    const got: [string, string, number][] = []
    const handler = (name: string) => async (entry: { id: string; data: { key: string; n: number } }) => {
      if (name === 'strict' && entry.data.n < 0) throw new Reject('negative')
      got.push([name, entry.id, entry.data.n])
    }
    const consumers = ['strict', 'mild'].map((group) =>
      start(b.consume({ stream: s, group, order, handle: handler(group) })),
    )
    await b.publish([outgoing(s, 'e1', { key: 'a', n: -1 })])
    const [letter] = await eventually(async () => {
      const letters = await b.deadLetters(s as never, 10)
      return letters.length > 0 ? letters : undefined
    })
    await expect(b.replayDeadLetter(s as never, letter!.entry, '{"key":1}')).rejects.toMatchObject({
      code: 'PAYLOAD_INVALID',
    })
    expect(await b.replayDeadLetter(s as never, letter!.entry, '{"key":"a","n":7}')).toBe(true)
    expect(await b.replayDeadLetter(s as never, letter!.entry)).toBe(false)
    await b.publish([outgoing(s, 'e2', { key: 'a', n: 1 })])
    await eventually(() => got.length === 4)
    expect(got.sort()).toEqual([
      ['mild', 'e1', -1],
      ['mild', 'e2', 1],
      ['strict', 'e1', 7],
      ['strict', 'e2', 1],
    ])
    await Promise.all(consumers.map((c) => c.stop()))
  })
})

it('never handles an entry of a key before the one in front of it is done, with consumers that come and go', async () => {
  const s = stream(8)
  const publisher = bus()
  const seen = new Map<string, number[]>()
  const busy = new Set<string>()
  let overlaps = 0
  const consume = () =>
    start(
      bus().consume({
        stream: s,
        group: 'g',
        order: 'key',
        async handle({ data }) {
          if (busy.has(data.key)) overlaps++
          busy.add(data.key)
          await new Promise((resolve) => setImmediate(resolve))
          seen.set(data.key, [...(seen.get(data.key) ?? []), data.n])
          busy.delete(data.key)
        },
      }),
    )
  const first = consume()
  for (let round = 0; round < 5; round++) {
    const events = Array.from({ length: 400 }, (_, i) => ({
      key: `k${i % 16}`,
      n: round * 25 + Math.floor(i / 16),
    }))
    await publisher.publish(events.map((data) => outgoing(s, `${data.key}:${data.n}`, data)))
    if (round === 1) {
      const second = consume()
      await eventually(() => seen.size === 16)
      await second.stop()
    }
  }
  await eventually(() => [...seen.values()].flat().length >= 2_000, { what: '2,000 entries' })
  await first.stop()
  expect(overlaps).toBe(0)
  for (const numbers of seen.values()) expect(numbers).toEqual(Array.from({ length: 125 }, (_, i) => i))
})

it('stores an event once however often it is published, and says so', async () => {
  const s = stream()
  const b = bus()
  const event = outgoing(s, 'same', { key: 'a', n: 1 })
  const [first] = await b.publish([event])
  const again = await b.publish([event, event])
  expect(first!.duplicate).toBe(false)
  expect(again.map((r) => r.duplicate)).toEqual([true, true])
  const total = (await b.status(s)).partitions.reduce((sum, p) => sum + p.length, 0)
  expect(total).toBe(1)
})
