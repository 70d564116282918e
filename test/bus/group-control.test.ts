// Moving a group to a place while its consumers run; on a real server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FoldOptions, outgoing } from '../../src/bus/index.ts'
import { replyFacts } from '../../src/bus/reply.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import {
  type NotingBus,
  type Numbered,
  type NumberStream,
  numberStream,
  numbers,
  openNotingBus,
  start,
} from './rig.ts'

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

/** What is wrong with what was handled after a group was moved to the start: all of it, each key in order. */
function missingAfterSeek(handled: readonly Numbered[], keys: number, each: number): string[] {
  const next = new Map<string, number>()
  for (const { key, n } of handled) if (n === (next.get(key) ?? 0)) next.set(key, n + 1)
  return Array.from({ length: keys }, (_, k) => `k${k}`).flatMap((key) =>
    next.get(key) === each ? [] : [`${key}: ${next.get(key) ?? 0} did not come again in its turn`],
  )
}

const statusOf = async (stream: NumberStream) => {
  const { partitions } = await bus.status(stream)
  const groups = partitions.flatMap(({ groups }) => groups)
  const sum = (pick: (group: (typeof groups)[number]) => number) =>
    groups.reduce((total, group) => total + pick(group), 0)
  return { lag: sum(({ lag }) => lag), pending: sum(({ pending }) => pending), groups }
}

describe('seeking', () => {
  it.each(['key', 'none'] as const)(
    'to the start while consumers run and publishers publish gives everything again, order %s',
    async (order) => {
      const stream = numberStream()
      const handled: Numbered[] = []
      const consume = () =>
        start(
          bus.consume({
            stream,
            group: 'g',
            order,
            async handle({ data }) {
              await new Promise((resolve) => setImmediate(resolve))
              handled.push(data)
            },
          }),
        )
      const consumers = [consume(), consume()]
      for (let round = 0; round < 4; round++) {
        await bus.publish(numbers(stream, 8, 25, round * 25))
        await eventually(() => handled.length > 50 * (round + 1))
        if (round > 0) await bus.seekGroup(stream, 'g', 'start')
      }
      const mark = handled.length
      const all = 800
      const since = () => handled.slice(mark)
      if (order === 'key') {
        await eventually(() => missingAfterSeek(since(), 8, 100).length === 0, { what: 'all again in order' })
      } else {
        const names = () => new Set(since().map(({ key, n }) => `${key}:${n}`))
        await eventually(() => names().size === all, { what: 'all again' })
      }
      await eventually(async () => {
        const { lag, pending } = await statusOf(stream)
        return lag === 0 && pending === 0
      })
      await Promise.all(consumers.map((consumer) => consumer.stop()))
      expect(bus.said.lost.filter((fact) => fact.stream === stream.name)).toEqual([])
      expect(bus.said.deadLettered.filter((fact) => fact.stream === stream.name)).toEqual([])
    },
  )

  it('is judged by a checker that finds what did not come again, or not in its turn', () => {
    const turn = (...ns: number[]) => ns.map((n) => ({ key: 'k0', n }))
    expect(missingAfterSeek(turn(2, 0, 1, 2), 1, 3)).toEqual([])
    expect(missingAfterSeek(turn(0, 2), 1, 3)).toHaveLength(1)
    expect(missingAfterSeek(turn(1, 2, 0), 1, 3)).toHaveLength(1)
    expect(missingAfterSeek([], 1, 3)).toHaveLength(1)
  })

  it.each([
    ['key', 'an entry', (ms: number) => ({ entry: `${ms}-0` })],
    // A reader that waits does not notice before its read is over: one of these is enough.
    ['none', 'a time', (ms: number) => ({ time: ms })],
  ] as const)('order %s, to %s repeats what is there from it on', async (order, _, target) => {
    const stream = numberStream({ partitions: 2 })
    const seen = new Map<string, number>()
    const consumer = start(
      bus.consume({
        stream,
        group: 'g',
        order,
        handle: async ({ entry, partition }) => {
          const name = `${partition}/${entry}`
          seen.set(name, (seen.get(name) ?? 0) + 1)
        },
      }),
    )
    await bus.publish(numbers(stream, 4, 10))
    const [middle] = await bus.publish(numbers(stream, 4, 10, 10))
    await eventually(() => seen.size === 80)
    await eventually(async () => (await statusOf(stream)).pending === 0)
    const at = Number(middle!.entry.split('-')[0])
    seen.clear()
    const places = await bus.seekGroup(stream, 'g', target(at))
    const count = places.reduce((sum, place) => sum + place.count, 0)
    expect(count).toBeGreaterThanOrEqual(40)
    await eventually(() => seen.size === count)
    for (const [name, times] of seen) {
      expect(Number(name.split(/[/-]/)[1]), name).toBeGreaterThanOrEqual(at)
      expect(times).toBe(1)
    }
    for (const { partition, entry, skipped } of places) {
      expect(seen.has(`${partition}/${entry}`)).toBe(true)
      expect(skipped).toBe(0)
    }
    await eventually(async () => (await statusOf(stream)).pending === 0)
    await consumer.stop()
  })

  it('makes a fold begin with its start state; what it says again is recognised, and nothing counts as lost', async () => {
    const stream = numberStream({ partitions: 2 })
    const sums = numberStream({ partitions: 1 })
    let applied = 0
    const options: FoldOptions<Numbered, Record<string, number>> = {
      stream,
      group: 'sums',
      start: () => ({}),
      apply(state, { id, data }) {
        applied++
        state[data.key] = (state[data.key] ?? 0) + data.n
        return { events: [outgoing(sums, `sum:${id}`, { key: data.key, n: state[data.key]! })] }
      },
      save: JSON.stringify,
      load: (saved) => JSON.parse(saved),
    }
    const folding = start(bus.fold(options))
    const last = (await bus.publish(numbers(stream, 4, 20))).findLast(({ partition }) => partition === 0)
    await eventually(() => applied === 80)
    const saved = async () => {
      const states = await Promise.all(
        [0, 1].map((p) => client.hget(`{${stream.name}:${p}}:checkpoint:sums`, 'state')),
      )
      return Object.assign({}, ...states.map((state) => JSON.parse(state ?? '{}'))) as Record<string, number>
    }
    const sorted = (sums: Record<string, number>) => Object.fromEntries(Object.entries(sums).sort())
    const right = { k0: 190, k1: 190, k2: 190, k3: 190 }
    await eventually(async () => JSON.stringify(sorted(await saved())) === JSON.stringify(right))
    await bus.seekGroup(stream, 'sums', 'start')
    await eventually(() => applied === 160)
    await eventually(async () => (await statusOf(stream)).pending === 0)
    await folding.stop()
    expect(sorted(await saved())).toEqual(right)
    expect((await bus.status(sums)).partitions[0]).toMatchObject({ lastSequence: 80 })
    // Not at the very beginning: a checkpoint that is missing there would be a loss, had nobody asked for it.
    const [place] = await bus.seekGroup(stream, 'sums', { entry: last!.entry })
    const again = start(bus.fold(options))
    await eventually(() => applied > 160)
    expect(place!.entry).not.toBe('')
    await again.stop()
    expect(bus.said.lost.filter((fact) => fact.stream === stream.name)).toEqual([])
  })

  it('forward says how many entries are skipped, and never hides what is stored later', async () => {
    const stream = numberStream({ partitions: 1 })
    const handled: number[] = []
    const begun = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const stuck = start(
      bus.consume({
        stream,
        group: 'g',
        order: 'key',
        async handle() {
          begun.resolve()
          await gate.promise
        },
      }),
    )
    await bus.publish(numbers(stream, 1, 30))
    await begun.promise
    const places = await bus.seekGroup(stream, 'g', { time: systemClock.now() + 86_400_000 })
    expect(places).toEqual([{ partition: 0, entry: '', count: 0, skipped: 30 }])
    gate.resolve()
    await stuck.stop()
    expect(await statusOf(stream)).toMatchObject({ lag: 0, pending: 0 })
    const consumer = start(
      bus.consume({
        stream,
        group: 'g',
        order: 'key',
        handle: async ({ data }) => void handled.push(data.n),
      }),
    )
    await bus.publish(numbers(stream, 1, 1, 30))
    await eventually(() => handled.length === 1)
    expect(handled).toEqual([30])
    await consumer.stop()
    expect(await bus.seekGroup(stream, 'g', 'end')).toEqual([
      { partition: 0, entry: '', count: 0, skipped: 0 },
    ])
  })

  it('is shown before it is done, however many entries there are, and the preview changes nothing', async () => {
    const stream = numberStream({ partitions: 1 })
    await bus.publish(numbers(stream, 1, 4_500))
    await client.xgroup('CREATE', `{${stream.name}:0}`, 'g', '$')
    const [place] = await bus.previewSeek(stream, 'g', 'start')
    expect(place).toMatchObject({ count: 4_500, skipped: 0 })
    expect(place!.entry).not.toBe('')
    expect(await statusOf(stream)).toMatchObject({ lag: 0 })
    await bus.seekGroup(stream, 'g', 'start')
    expect(await statusOf(stream)).toMatchObject({ lag: 4_500 })
  })

  it('leaves a true lag also where outside programs add entries without a sequence', async () => {
    const stream = numberStream({ partitions: 1 })
    const key = `{${stream.name}:0}`
    const ids: string[] = []
    for (let n = 0; n < 10; n++) ids.push((await client.xadd(key, '*', 'data', '{"key":"a","n":1}'))!)
    const handled: string[] = []
    const consumer = start(
      bus.consume({
        stream,
        group: 'g',
        order: 'key',
        handle: async ({ entry }) => void handled.push(entry),
      }),
    )
    await eventually(() => handled.length === 10)
    await consumer.stop()
    await bus.seekGroup(stream, 'g', { entry: ids[6]! })
    expect(await statusOf(stream)).toMatchObject({ lag: 4, pending: 0 })
  })

  it.each(['key', 'none'] as const)(
    'a group with order %s is removed only when nobody reads for it, and holds up trimming until then',
    async (order) => {
      const stream = { ...numberStream({ partitions: 2 }), retentionMs: 0 }
      let handled = 0
      const consumer = start(
        bus.consume({ stream, group: 'former', order, handle: async () => void handled++ }),
      )
      await bus.publish(numbers(stream, 4, 5))
      await eventually(() => handled === 20)
      const refused = { code: 'GROUP_IN_USE', message: expect.stringContaining(`:${process.pid}:`) }
      await expect(bus.removeGroup(stream, 'former')).rejects.toMatchObject(refused)
      await consumer.stop()
      // One without order joins no list: that it has gone is known by its silence, or by the names it had.
      if (order === 'none') {
        for (const partition of [0, 1]) {
          const entries = `{${stream.name}:${partition}}`
          const rows = (await client.xinfo('CONSUMERS', entries, 'former')) as unknown[]
          for (const row of rows)
            await client.xgroup('DELCONSUMER', entries, 'former', String(replyFacts(row)['name']))
        }
      }
      await bus.publish(numbers(stream, 4, 5, 5))
      // Of each partition the last that is acknowledged stays.
      expect(await bus.trim(stream)).toBe(18)
      expect(await bus.trim(stream)).toBe(0)
      await bus.removeGroup(stream, 'former')
      expect(await bus.trim(stream)).toBeGreaterThanOrEqual(20)
      expect((await statusOf(stream)).groups).toEqual([])
      expect(await client.keys(`*${stream.name}*former*`)).toEqual([])
      await expect(bus.removeGroup(stream, 'former')).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' })
    },
  )

  it('refuses a group that nobody has, and names those that there are', async () => {
    const stream = numberStream()
    await client.xgroup('CREATE', `{${stream.name}:3}`, 'known', '0', 'MKSTREAM')
    const refused = { code: 'GROUP_UNKNOWN', message: expect.stringContaining('allowed: known') }
    await expect(bus.seekGroup(stream, 'other', 'start')).rejects.toMatchObject(refused)
    await expect(bus.pauseGroup(stream, 'other')).rejects.toMatchObject(refused)
    await expect(bus.resumeGroup(stream, 'other')).rejects.toMatchObject(refused)
    expect(await client.exists(`groups:paused:${stream.name}`)).toBe(0)
  })
})
