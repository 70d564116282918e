// Trimming and the figures of `status`; on a real server.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { replyFacts } from '../../src/bus/reply.ts'
import { FORGET_CONSUMERS } from '../../src/bus/upkeep-scripts.ts'
import { closeRedis, connectRedis, type Redis, ready, runScript } from '../../src/redis/index.ts'
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

interface Group {
  delivered: number
  acknowledged: number[]
  checkpoint: number | undefined
  isRegistered: boolean
}

const groupShape = fc.record({
  delivered: fc.integer({ min: 0, max: 60 }),
  acknowledged: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 60 }),
  checkpoint: fc.option(fc.integer({ min: 0, max: 59 }), { nil: undefined }),
  isRegistered: fc.boolean(),
})

/** Brings groups of 60 entries into the given state; answers the ids of the entries. */
async function arrange(stream: NumberStream, groups: readonly Group[]): Promise<string[]> {
  const key = `{${stream.name}:0}`
  const ids = (await bus.publish(numbers(stream, 1, 60))).map(({ entry }) => entry)
  for (const [i, { delivered, acknowledged, checkpoint, isRegistered }] of groups.entries()) {
    const name = `g${i}`
    await client.xgroup('CREATE', key, name, '0')
    if (isRegistered) await client.sadd(`groups:${stream.name}`, name)
    if (delivered > 0) await client.xreadgroup('GROUP', name, 'c', 'COUNT', delivered, 'STREAMS', key, '>')
    const done = acknowledged.filter((at) => at < delivered).map((at) => ids[at]!)
    if (done.length > 0) await client.xack(key, name, ...done)
    if (checkpoint !== undefined)
      await client.hset(`${key}:checkpoint:${name}`, 'state', '{}', 'at', ids[checkpoint]!)
  }
  return ids
}

/** Whether a group still needs the entry at a place. */
const isNeeded = (group: Group, at: number) =>
  at >= group.delivered ||
  !group.acknowledged.includes(at) ||
  (group.checkpoint !== undefined && at > group.checkpoint)

async function missingNeeded(stream: NumberStream, ids: readonly string[], groups: readonly Group[]) {
  const kept = new Set((await client.xrange(`{${stream.name}:0}`, '-', '+')).map(([id]) => id))
  return ids.filter((id, at) => !kept.has(id) && groups.some((group) => isNeeded(group, at)))
}

describe('trimming', () => {
  it('never removes what any group has not acknowledged or a checkpoint still needs', async () => {
    let removed = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(groupShape, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(60, 10_000),
        async (groups, maxEntries) => {
          const stream = numberStream({ partitions: 1, retentionMs: 0, maxEntries })
          const ids = await arrange(stream, groups)
          removed += await bus.trim(stream)
          expect(await missingNeeded(stream, ids, groups)).toEqual([])
        },
      ),
      { numRuns: 60, seed: 3 },
    )
    expect(removed).toBeGreaterThan(0)
  })

  it('would be caught removing by length', async () => {
    const stream = numberStream({ partitions: 1 })
    const groups = [{ delivered: 30, acknowledged: [], checkpoint: undefined, isRegistered: true }]
    const ids = await arrange(stream, groups)
    await client.xtrim(`{${stream.name}:0}`, 'MAXLEN', 20)
    expect((await missingNeeded(stream, ids, groups)).length).toBe(40)
  })

  it('waits for a group that is registered and does not exist yet', async () => {
    const stream = numberStream({ partitions: 1, retentionMs: 0 })
    const all = Array.from({ length: 60 }, (_, i) => i)
    const done = { delivered: 60, acknowledged: all, checkpoint: undefined, isRegistered: true }
    await arrange(stream, [done])
    await client.sadd(`groups:${stream.name}`, 'later')
    expect(await bus.trim(stream)).toBe(0)
    await client.srem(`groups:${stream.name}`, 'later')
    expect(await bus.trim(stream)).toBe(59)
  })

  it('forgets consumers that hold nothing and are gone, and no other', async () => {
    const stream = numberStream({ partitions: 1 })
    const key = `{${stream.name}:0}`
    await bus.publish(numbers(stream, 1, 5))
    await client.xgroup('CREATE', key, 'g', '0')
    for (const name of ['gone', 'living']) await client.xgroup('CREATECONSUMER', key, 'g', name)
    await client.xreadgroup('GROUP', 'g', 'holding', 'COUNT', 5, 'STREAMS', key, '>')
    const idleMs = -1
    expect(await runScript(client, FORGET_CONSUMERS, [key], ['g', idleMs, 'living'])).toBe(1)
    const left = (await client.xinfo('CONSUMERS', key, 'g')) as unknown[]
    expect(left.map((row) => String(replyFacts(row)['name'])).sort()).toEqual(['holding', 'living'])
  })
})

describe('status', () => {
  it('counts the lag truly while entries are pending, undelivered and trimmed', async () => {
    const stream = numberStream({ partitions: 1, retentionMs: 0 })
    const key = `{${stream.name}:0}`
    const first = Array.from({ length: 30 }, (_, i) => i)
    const group = { delivered: 40, acknowledged: first, checkpoint: undefined, isRegistered: true }
    const ids = await arrange(stream, [group])
    const figures = async () => {
      const { length, lastSequence, groups } = (await bus.status(stream)).partitions[0]!
      const { pending, lag } = groups[0]!
      return { length, lastSequence, pending, lag }
    }
    expect(await figures()).toEqual({ length: 60, lastSequence: 60, pending: 10, lag: 30 })
    expect(await bus.trim(stream)).toBe(30)
    expect(await figures()).toEqual({ length: 30, lastSequence: 60, pending: 10, lag: 30 })
    await client.xack(key, 'g0', ...ids.slice(30, 40))
    expect(await figures()).toMatchObject({ pending: 0, lag: 20 })
    await client.xreadgroup('GROUP', 'g0', 'c', 'COUNT', 100, 'STREAMS', key, '>')
    await client.xack(key, 'g0', ...ids.slice(40))
    await bus.trim(stream)
    expect(await figures()).toEqual({ length: 1, lastSequence: 60, pending: 0, lag: 0 })
    expect((await bus.status(stream)).partitions[0]!.groups[0]!.oldestMs).toBe(0)
  })

  it('shows living members and owners, and no dead ones', async () => {
    const stream = numberStream({ partitions: 2 })
    const consumer = start(bus.consume({ stream, group: 'g', order: 'key', handle: async () => {} }))
    const owners = async () => {
      const status = await bus.status(stream)
      return { members: status.members['g'], owners: status.partitions.map(({ groups }) => groups[0]?.owner) }
    }
    const alive = await eventually(async () => {
      const now = await owners()
      return now.members && now.owners.every((owner) => owner) ? now : undefined
    })
    expect(alive.owners).toEqual([alive.members![0], alive.members![0]])
    await consumer.stop()
    expect(await owners()).toEqual({ members: [], owners: [undefined, undefined] })
  })
})

it('gives a group that comes late the whole history, and each of two groups everything', async () => {
  const stream = numberStream()
  await bus.publish(numbers(stream, 4, 50))
  const got: Record<string, Set<string>> = { early: new Set(), late: new Set() }
  const consume = (group: 'early' | 'late') =>
    start(bus.consume({ stream, group, order: 'key', handle: async ({ id }) => void got[group]!.add(id) }))
  const early = consume('early')
  await eventually(() => got['early']!.size === 200)
  await bus.trim(stream)
  const late = consume('late')
  await bus.publish(numbers(stream, 4, 50, 50))
  await eventually(() => got['early']!.size === 400 && got['late']!.size === 400)
  await Promise.all([early.stop(), late.stop()])
})
