// The mechanisms on a cluster and on a master under Sentinel: once each, as their users call them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openBus, outgoing } from '../../src/bus/index.ts'
import { DROPS, defineView, dropKey, openViews } from '../../src/cache/index.ts'
import { lockNames } from '../../src/catalog/index.ts'
import { defineJob, openJobs } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { openLocks } from '../../src/locks/index.ts'
import { closeRedis, connectRedis, onNodeOf, ready } from '../../src/redis/index.ts'
import { slotOf } from '../../src/redis/slots.ts'
import { type Numbered, type NumberStream, numberStream, numbers, openNotingBus, start } from '../bus/rig.ts'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { openTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startSentinel, type TestSentinel } from '../support/sentinel.ts'

let cluster: TestCluster
let sentinel: TestSentinel

beforeAll(async () => {
  ;[cluster, sentinel] = await Promise.all([startCluster(), startSentinel()])
})
afterAll(() => Promise.all([cluster?.stop(), sentinel?.stop()]))

const KEYS = 8
const EACH = 40
const inOrder = Array.from({ length: EACH }, (_, n) => n)

/** What each key was given, in the order in which it was. */
function journal() {
  const byKey = new Map<string, number[]>()
  return {
    byKey,
    note({ key, n }: Numbered) {
      byKey.set(key, [...(byKey.get(key) ?? []), n])
    },
    count: () => [...byKey.values()].flat().length,
  }
}

describe.each([
  ['a cluster', () => cluster.url],
  ['a master under Sentinel', () => sentinel.url],
] as const)('on %s', (_, url) => {
  it('two consumers share the partitions and keep the order of every key', async () => {
    const stream = numberStream()
    const [one, two] = [openNotingBus(url()), openNotingBus(url())]
    const seen = journal()
    const handle = async ({ data }: { data: Numbered }) => seen.note(data)
    const running = [one, two].map((bus) => start(bus.consume({ stream, group: 'g', order: 'key', handle })))
    await one.publish(numbers(stream, KEYS, EACH))
    await eventually(() => seen.count() >= KEYS * EACH)
    for (const task of running) await task.stop()
    expect([...seen.byKey.values()]).toEqual(Array.from({ length: KEYS }, () => inOrder))
    const { partitions, members } = await one.status(stream)
    expect(partitions.map(({ groups }) => groups[0]?.lag)).toEqual([0, 0, 0, 0])
    expect(members).toEqual({ g: [] })
    await Promise.all([one.close(), two.close()])
  })

  it('consumers without order get everything once', async () => {
    const stream = numberStream()
    const bus = openNotingBus(url())
    const seen = journal()
    const handle = async ({ data }: { data: Numbered }) => seen.note(data)
    const task = start(bus.consume({ stream, group: 'g', order: 'none', handle }))
    await bus.publish(numbers(stream, KEYS, EACH / 2))
    await eventually(() => seen.count() >= (KEYS * EACH) / 2)
    // By now it waits for more, of all partitions at once.
    await bus.publish(numbers(stream, KEYS, EACH / 2, EACH / 2))
    await eventually(() => seen.count() >= KEYS * EACH)
    await task.stop()
    for (const got of seen.byKey.values()) expect(got.toSorted((a, b) => a - b)).toEqual(inOrder)
    await bus.close()
  })

  it('a fold says what follows, and what is said is stored once', async () => {
    const [stream, sums] = [numberStream(), numberStream()]
    const bus = openNotingBus(url())
    const fold = bus.fold<Numbered, Record<string, number>>({
      stream,
      group: 'f',
      start: () => ({}),
      apply: (state, { id, data }) => {
        state[data.key] = (state[data.key] ?? 0) + data.n
        return { events: [outgoing(sums, `sum:${id}`, { key: data.key, n: state[data.key]! })] }
      },
      save: (state) => JSON.stringify(state),
      load: (saved) => JSON.parse(saved) as Record<string, number>,
    })
    const seen = journal()
    const tasks = [
      start(fold),
      start(
        bus.consume({ stream: sums, group: 'g', order: 'key', handle: async ({ data }) => seen.note(data) }),
      ),
    ]
    await bus.publish(numbers(stream, KEYS, EACH))
    await eventually(() => seen.count() >= KEYS * EACH)
    for (const task of tasks) await task.stop()
    const sum = (EACH * (EACH - 1)) / 2
    expect([...seen.byKey.values()].map((got) => got.at(-1))).toEqual(Array.from({ length: KEYS }, () => sum))
    await bus.close()
  })

  it('dead letters are moved, told and trimmed around', async () => {
    const stream: NumberStream = numberStream()
    const bus = openNotingBus(url())
    const handle = async () => {
      throw new Error('never')
    }
    const task = start(bus.consume({ stream, group: 'g', order: 'key', retryMs: [], handle }))
    await bus.publish(numbers(stream, KEYS, 1))
    await eventually(async () => (await bus.status(stream)).deadLetters === KEYS)
    expect(await bus.deadLetters(stream, 100)).toHaveLength(KEYS)
    await task.stop()
    await bus.trim(stream)
    await bus.close()
  })

  it('a lock is handed on to the one that waits for it', async () => {
    const store = await openTestDatabase('sqlite')
    const open = () =>
      openLocks({ urls: [url()], database: store.database, clock: systemClock, names: lockNames })
    const [one, two] = [open(), open()]
    const order: number[] = []
    const held = Promise.withResolvers<void>()
    const first = one.hold('r', async ({ token }) => {
      held.resolve()
      await eventually(() => order.length === 0)
      order.push(token)
    })
    await held.promise
    const second = await two.hold('r', async ({ token }) => void order.push(token), { waitMs: 10_000 })
    expect([(await first).held, second.held]).toEqual([true, true])
    expect(order[1]! - order[0]!).toBe(1)
    await Promise.all([one.close(), two.close()])
    await store.close()
  })

  it('scheduled jobs run', async () => {
    const often = defineJob({ name: 'often', queue: 'fast', everyMs: 100, about: 'Runs often.' })
    const log = openLog({ level: 'silent', name: 'test' })
    const jobs = openJobs({ redisUrl: url(), jobs: { often }, prefix: '{jobs}', clock: systemClock, log })
    const dueTimes: number[] = []
    const task = start(
      jobs.run({
        often: async ({ dueAt }) => {
          dueTimes.push(dueAt)
          return {}
        },
      }),
    )
    await eventually(() => dueTimes.length >= 3)
    await task.stop()
    await jobs.close()
    expect(new Set(dueTimes).size).toBe(dueTimes.length)
  })

  it('a cached answer is dropped everywhere when it is told', async () => {
    const view = defineView<[name: string], number>({
      name: 'answers',
      about: 'A number that changes.',
      shape: z.number(),
      parts: ['name'],
      lifetimeMs: 60_000,
    })
    const channel = DROPS
    const writer = connectRedis(url(), 'writer')
    await ready(writer)
    const views = openViews({
      connect: (role) => connectRedis(url(), role, { key: channel }),
      clock: systemClock,
      heartbeatMs: 50,
      proofMs: 500,
    })
    let truth = 1
    const get = () => views.get(view, ['a'], async () => truth)
    const served = async () => {
      await get()
      return views.stats().serving && views.stats().entries > 0
    }
    await eventually(served)
    truth = 2
    expect(await get()).toBe(1)
    await views.drop([dropKey(view, ['a'])])
    expect(await eventually(async () => (await get()) === 2 && 2)).toBe(2)
    if (url() === cluster.url) {
      // The node of the channel loses it: what is heard there proves nothing any more, and the listener moves.
      const port = onNodeOf(writer, channel).options.port
      // A slot with keys would have to be moved key by key.
      await onNodeOf(writer, channel).flushall()
      const to = cluster.masters.find((master) => master.port !== port)!
      await cluster.moveSlot(slotOf(channel), to)
      await eventually(async () => String(await cluster.tell(to, 'pubsub', 'numsub', channel)).endsWith(',1'))
      await eventually(served)
    }
    await views.close()
    await closeRedis(writer)
  })
})

describe('a failover under Sentinel', () => {
  it('loses nothing that was confirmed with a replica, and the consumer goes on in order', async ({
    onTestFinished,
  }) => {
    const set = await startSentinel()
    onTestFinished(() => set.stop())
    const stream = numberStream({ durable: true })
    const consumer = openNotingBus(set.url)
    const seen = journal()
    const handle = async ({ data }: { data: Numbered }) => seen.note(data)
    const task = start(consumer.consume({ stream, group: 'g', order: 'key', handle }))
    const events = numbers(stream, KEYS, EACH)
    const careful = openBus({ url: set.url, clock: systemClock, replicas: 1 })
    const half = events.length / 2
    await eventually(() => careful.publish(events.slice(0, half)))
    await set.master.kill()
    await careful.close()
    // Nobody is left to confirm it; what the new master has is all there is.
    const alone = openBus({ url: set.url, clock: systemClock })
    await eventually(() => alone.publish(events.slice(half)))
    await eventually(() => seen.count() >= KEYS * EACH)
    await task.stop()
    // What was acknowledged on the old master only may come again, in order; nothing is missing.
    for (const got of seen.byKey.values()) expect(got.filter((n, i) => got.indexOf(n) === i)).toEqual(inOrder)
    await Promise.all([alone.close(), consumer.close()])
  })
})
