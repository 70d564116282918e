// Several processes: a change reaches all of them, with Redis and without, and a kill in the middle of anything loses
// nothing. Each checker is shown to find what a careless program would lose.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OpenBus, openBus, outgoing } from '../../src/bus/index.ts'
import type { Cutover } from '../../src/cutover/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { start as startTask } from '../bus/rig.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import {
  type Child,
  type ChildOptions,
  type FeatureName,
  moveTo,
  openEngine,
  openToys,
  QUICK,
  startChild,
  type Toys,
  toyKey,
} from './rig.ts'
import { CUTOVER_CHANNEL, toyStream } from './toy-stream.ts'

let redis: TestRedis
let bus: OpenBus
let place: TestDatabase
let folder: string
let toys: Toys
let engine: Cutover<FeatureName>
let children: Child[]
beforeAll(async () => {
  redis = await startRedis()
  bus = openBus({ url: redis.url, clock: systemClock, visibilityMs: 300 })
})
afterAll(async () => {
  await bus.close()
  await redis.stop()
})
beforeEach(async () => {
  place = await openTestDatabase('sqlite')
  folder = mkdtempSync(join(tmpdir(), 'sluice-toys-'))
  toys = openToys(folder)
  engine = openEngine(place.database, { tell: () => bus.tell(CUTOVER_CHANNEL, 'toys') })
  children = []
})
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()))
  await engine.close()
  toys.close()
  rmSync(folder, { recursive: true })
  await place.close()
})

const NEVER_MS = 600_000

const start = (options: Omit<ChildOptions, 'folder'>) => {
  const child = startChild({ folder, ...options }, place.environment)
  children.push(child)
  return child
}
const told = (child: Child, fact: Record<string, unknown>) =>
  eventually(() =>
    child.told.find((one) => Object.entries(fact).every(([name, value]) => one[name] === value)),
  )
const differing = () => {
  const keys = new Set([...toys.legacy.keys(), ...toys.current.keys()])
  return [...keys].filter((key) => toys.legacy.get(key) !== toys.current.get(key))
}

describe('a change of phase', () => {
  it('is seen by other processes by a message alone, and without Redis', async () => {
    const [hearing, asking] = [
      start({ mode: 'follow', redisUrl: redis.url, pollMs: NEVER_MS }),
      start({ mode: 'follow' }),
    ]
    await Promise.all([told(hearing, { listening: true }), told(asking, { phase: 'legacy' })])
    await engine.advance('toys', { reason: 'begin' })
    expect(await told(hearing, { phase: 'dual' })).toMatchObject({ revision: 1 })
    expect(await told(asking, { phase: 'dual' })).toMatchObject({ revision: 1 })
  })
})

describe('a kill between the two stores', () => {
  const COUNT = 60
  /** Numbers 0 to 59 through a stream; the first consumer is killed when it has written number 20 into one store. */
  async function consumeWithKill(mode: 'consume' | 'consume carelessly') {
    await engine.advance('toys', { reason: 'begin' })
    const stream = toyStream(`toys${process.pid}x${mode.length}`)
    const numbers = Array.from({ length: COUNT }, (_, n) => n)
    await bus.publish(numbers.map((n) => outgoing(stream, `n${n}`, { n })))
    const options = { redisUrl: redis.url, stream: stream.name }
    const first = start({ ...options, mode, hangAt: 20 })
    await told(first, { between: 20 })
    // Everything else it can do is done.
    await eventually(() => toys.current.keys().length === COUNT - 1)
    await first.kill()
    expect(differing()).toEqual(['p2/000020'])
    return { stream, ...consumeOn(stream) }
  }

  /** The next process, which is this one. */
  function consumeOn(stream: ReturnType<typeof toyStream>) {
    const put = ({ data: { n } }: { data: { n: number } }) => {
      const into = (side: 'legacy' | 'current') => async () => toys[side].put(toyKey(n), `value ${n}`)
      return engine.write('toys', { legacy: into('legacy'), current: into('current') })
    }
    return startTask(
      bus.consume({
        ...{ stream, group: 'toys', order: 'none', crashesMax: 100 },
        handle: async (entry) => void (await put(entry)),
      }),
    )
  }

  it('leaves nothing missing once another process goes on', async () => {
    const { stop } = await consumeWithKill('consume')
    await eventually(() => differing().length === 0)
    await stop()
    expect(toys.current.keys().length).toBe(COUNT)
  })

  it('would lose a write that was acknowledged before both had it', async () => {
    const { stream, stop } = await consumeWithKill('consume carelessly')
    await bus.publish([outgoing(stream, 'last', { n: 1_000 })])
    await eventually(() => toys.current.get('p1/001000'))
    await stop()
    expect(differing()).toEqual(['p2/000020'])
    expect(await engine.compare(toys.stores)).toMatchObject({ different: 1 })
  })
})

describe('the way back from done', () => {
  /** A process that hears of nothing writes all the time while the feature goes from done to primary and is copied. */
  async function goBack(leaseMs: number) {
    await moveTo(engine, toys.stores, 'done')
    const writer = start({ mode: 'write', pollMs: NEVER_MS, leaseMs })
    await eventually(() => writer.told.length > 30)
    await engine.rollback('toys', { reason: 'back' })
    await engine.copy(toys.stores)
    await engine.rollback('toys', { reason: 'the former one answers again' })
    const count = writer.told.length
    await eventually(() => writer.told.length > count + 30)
    const acknowledged = writer.told.flatMap(({ wrote }) =>
      wrote === undefined ? [] : [toyKey(Number(wrote))],
    )
    return { acknowledged, lost: acknowledged.filter((key) => toys.legacy.get(key) === undefined) }
  }

  it('loses nothing that was written without the former store', async () => {
    const { lost, acknowledged } = await goBack(QUICK.leaseMs)
    expect(acknowledged.length).toBeGreaterThan(60)
    expect(lost).toEqual([])
  })

  it('would lose what a process writes that goes by what it knew for longer than is waited for', async () => {
    const { lost } = await goBack(NEVER_MS)
    expect(lost.length).toBeGreaterThan(0)
  })
})

describe('a copy that is killed', () => {
  it('goes on behind the last part that was noted, and loses nothing', async () => {
    for (let n = 0; n < 90; n++) toys.legacy.put(`p${n % 9}/${n}`, `value ${n}`)
    await engine.advance('toys', { reason: 'begin' })
    const child = start({ mode: 'copy', hangAt: 'p5' })
    await told(child, { hangs: 'p5' })
    await child.kill()
    const { copied, complete } = await engine.status('toys')
    expect({ copied, complete }).toEqual({ copied: expect.any(String), complete: false })
    await engine.copy(toys.stores)
    expect(differing()).toEqual([])
    expect(await engine.status('toys')).toMatchObject({ complete: true, copied: undefined })
  })
})
