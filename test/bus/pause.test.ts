// A paused group: what Redis remembers, what its consumers know, and what they do; on a real server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSlots } from '../../src/bus/lanes.ts'
import { openLink } from '../../src/bus/link.ts'
import { pausable, watchPause } from '../../src/bus/pause.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, numberStream, numbers, openNotingBus, start } from './rig.ts'

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

describe('pausing', () => {
  it('is remembered by Redis, shown by the status, and holds trimming back', async () => {
    const stream = numberStream({ partitions: 1, retentionMs: 0 })
    await bus.publish(numbers(stream, 1, 10))
    const handled = { fast: 0, slow: 0 }
    const consume = (group: 'fast' | 'slow') =>
      start(bus.consume({ stream, group, order: 'key', handle: async () => void handled[group]++ }))
    const slow = consume('slow')
    await eventually(() => handled.slow === 10)
    await slow.stop()
    expect(await bus.pauseGroup(stream, 'slow')).toBe(true)
    expect(await bus.pauseGroup(stream, 'slow')).toBe(false)
    const fast = consume('fast')
    await bus.publish(numbers(stream, 1, 10, 10))
    await eventually(() => handled.fast === 20)
    await fast.stop()
    await bus.trim(stream)
    const paused = async () =>
      Object.fromEntries(
        (await bus.status(stream)).partitions[0]!.groups.map((group) => [group.group, group]),
      )
    expect(await paused()).toMatchObject({ slow: { paused: true, lag: 10 }, fast: { paused: false, lag: 0 } })
    expect((await bus.status(stream)).partitions[0]!.length).toBeGreaterThanOrEqual(10)
    expect(await bus.resumeGroup(stream, 'slow')).toBe(true)
    expect(await bus.resumeGroup(stream, 'slow')).toBe(false)
    expect(await paused()).toMatchObject({ slow: { paused: false } })
  })

  it('is known to every watching process, in spite of a restart of Redis', async () => {
    const stream = numberStream({ partitions: 1 })
    const other = await startRedis(['--appendfsync', 'always'])
    const events = openNotingBus(other.url)
    const link = openLink({
      url: other.url,
      clock: bus.clock,
      events: events.events,
      source: 'test',
      closing: new AbortController().signal,
    })
    const stop = new AbortController()
    try {
      await events.publish(numbers(stream, 1, 1))
      const handled = Promise.withResolvers<void>()
      const consumer = start(
        events.consume({ stream, group: 'g', order: 'none', handle: async () => handled.resolve() }),
      )
      await handled.promise
      await consumer.stop()
      const pause = watchPause(link, { stream, group: 'g' }, stop.signal)
      await pause.passed(stop.signal)
      expect(pause.isPaused()).toBe(false)
      await events.pauseGroup(stream, 'g')
      await eventually(() => pause.isPaused(), { what: 'the pause' })
      let hasPassed = false
      const passed = pause.passed(stop.signal).then(() => {
        hasPassed = true
      })
      await other.restart()
      const later = watchPause(link, { stream, group: 'g' }, stop.signal)
      await eventually(async () => (await events.status(stream)).partitions[0]!.groups[0]!.paused)
      expect([hasPassed, pause.isPaused(), later.isPaused()]).toEqual([false, true, true])
      await eventually(() => events.resumeGroup(stream, 'g'))
      await Promise.all([passed, later.passed(stop.signal)])
      expect([hasPassed, later.isPaused()]).toEqual([true, false])
    } finally {
      stop.abort()
      await Promise.all([link.close(), events.close()])
      await other.stop()
    }
  })
})

describe.each(['key', 'none', 'fold'] as const)('a paused group, %s', (kind) => {
  it('finishes what it works on, takes nothing more also after a restart, keeps its leases, and goes on', async () => {
    const stream = numberStream({ partitions: 2 })
    const handled = { still: [] as string[], other: [] as string[] }
    const noticed = (group: string) =>
      bus.said.paused.filter((fact) => fact.stream === stream.name && fact.group === group).length
    const consume = (group: 'still' | 'other', b = bus) => {
      if (kind !== 'fold')
        return start(
          b.consume({ stream, group, order: kind, handle: async ({ id }) => void handled[group].push(id) }),
        )
      const apply = (state: number, { id }: { id: string }) => {
        handled[group].push(id)
        return { state, events: [] }
      }
      return start(b.fold({ stream, group, start: () => 0, apply, save: String, load: Number }))
    }
    const running = (['still', 'other'] as const).map((group) => consume(group))
    await bus.publish(numbers(stream, 4, 5))
    await eventually(() => handled.still.length === 20 && handled.other.length === 20)
    await bus.pauseGroup(stream, 'still')
    let count = 5
    await eventually(() => noticed('still') === 1)
    // What a read that waited is given now is held, and not begun.
    await bus.publish(numbers(stream, 4, 1, count++))
    await eventually(() => handled.other.length === count * 4)
    const [before, ids] = [handled.still.length, count * 4]
    const second = openNotingBus(redis.url)
    const late = consume('still', second)
    await eventually(() => second.said.paused.length === 1)
    const owners = async () =>
      (await bus.status(stream)).partitions.map(
        (partition) => partition.groups.find(({ group }) => group === 'still')!,
      )
    if (kind !== 'none')
      await eventually(async () => new Set((await owners()).map(({ owner }) => owner)).size === 2)
    await running[0]!.stop()
    if (kind !== 'none')
      await eventually(async () => (await owners()).every(({ owner }) => owner !== undefined))
    const pending = async () => (await owners()).reduce((sum, group) => sum + group.pending, 0)
    const held = await pending()
    await bus.publish(numbers(stream, 4, 1, count++))
    await eventually(() => handled.other.length === count * 4)
    expect(handled.still.length).toBe(before)
    expect(await pending()).toBe(held)
    const status = await owners()
    expect(status.every(({ paused }) => paused)).toBe(true)
    expect(status.reduce((sum, { lag }) => sum + lag, 0)).toBe(ids + 4 - before)
    await bus.resumeGroup(stream, 'still')
    await eventually(() => handled.still.length === count * 4)
    expect(new Set(handled.still).size).toBe(count * 4)
    await Promise.all([late.stop(), running[1]!.stop()])
    await second.close()
  })
})

it('lets nothing begin that already waits for a slot, until it is resumed or the consumer stops', async () => {
  const stream = numberStream({ partitions: 1 })
  const link = openLink({
    url: redis.url,
    clock: bus.clock,
    events: bus.events,
    source: 'test',
    closing: new AbortController().signal,
  })
  const [stop, stopping] = [new AbortController(), new AbortController()]
  const run = async (group: string, goOn: () => unknown) => {
    const pause = watchPause(link, { stream, group }, stop.signal)
    const slots = pausable(openSlots(2), pause, stopping.signal)
    await pause.passed(stop.signal)
    const leaves: (() => void)[] = []
    for (let i = 0; i < 5_000; i++) slots.enter((leave) => void leaves.push(leave))
    expect(leaves).toHaveLength(2)
    await bus.pauseGroup(stream, group)
    await eventually(() => pause.isPaused())
    for (const leave of leaves.splice(0)) leave()
    await new Promise((resolve) => setImmediate(resolve))
    expect(leaves).toHaveLength(0)
    await goOn()
    let begun = 0
    await eventually(() => {
      for (let leave = leaves.pop(); leave; leave = leaves.pop()) {
        begun++
        leave()
      }
      return begun === 4_998
    })
  }
  try {
    for (const group of ['still', 'other']) {
      const consumer = start(bus.consume({ stream, group, order: 'key', handle: async () => {} }))
      await eventually(async () =>
        (await bus.status(stream)).partitions[0]!.groups.some((one) => one.group === group),
      )
      await consumer.stop()
    }
    await run('still', () => bus.resumeGroup(stream, 'still'))
    await run('other', () => stopping.abort())
  } finally {
    stop.abort()
    await link.close()
  }
})
