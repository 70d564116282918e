// Reads that are compared behind the caller's back: what differs puts the feature back once, what only seems to differ
// does not.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cutover, CutoverEvents, CutoverOptions } from '../../src/cutover/index.ts'
import type { Database } from '../../src/db/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { type FeatureName, moveTo, openEngine, openToys, type Toys } from './rig.ts'

let place: TestDatabase
let folder: string
let toys: Toys
let engine: Cutover<FeatureName>
let opened: Cutover<FeatureName>[]
let results: string[]
beforeEach(async () => {
  place = await openTestDatabase('sqlite')
  folder = mkdtempSync(join(tmpdir(), 'sluice-toys-'))
  toys = openToys(folder)
  opened = []
  results = []
  engine = open()
  toys.legacy.put('p1/a', 'one')
})
afterEach(async () => {
  await Promise.all(opened.map((one) => one.close()))
  toys.close()
  rmSync(folder, { recursive: true })
  await place.close()
})

function open(more: Partial<CutoverOptions<FeatureName>> = {}) {
  const one = openEngine(place.database, { leaseMs: 5, ...more })
  one.events.on('compared', ({ result }) => results.push(result))
  opened.push(one)
  return one
}
const read = (by = engine, key = 'p1/a', more: { every?: number } = {}) =>
  by.read('toys', {
    what: `toy ${key}`,
    legacy: async () => toys.legacy.get(key),
    current: async () => toys.current.get(key),
    ...{ same: Object.is, text: String },
    ...more,
  })
const phase = async () => (await engine.status('toys')).phase
const once = <E extends keyof CutoverEvents>(event: E, by = engine) =>
  new Promise<Parameters<CutoverEvents[E]>[0]>((resolve) => by.events.once(event, resolve as never))

describe('a read that differs', () => {
  it('in shadow is answered from the former store, and steps back to dual with what differed', async () => {
    await moveTo(engine, toys.stores, 'shadow')
    toys.current.put('p1/a', 'other')
    const back = once('steppedBack')
    expect(await read()).toBe('one')
    expect(await back).toEqual({
      ...{ feature: 'toys', from: 'shadow', to: 'dual', reason: 'a read differed: toy p1/a' },
    })
    expect(await phase()).toBe('dual')
    const { changes } = await engine.status('toys')
    expect(changes[0]!.reason).toBe('a read differed: toy p1/a')
    const [run] = await place.database.read(({ sql, t }) => sql.select().from(t.parityDifferences))
    expect(run).toMatchObject({ key: 'toy p1/a', legacy: 'one', current: 'other' })
    expect(await engine.report('toys', run!.run, 5)).toMatchObject({ run: { kind: 'shadow', different: 1 } })
  })

  it('in primary steps back to shadow, and with the next one to dual', async () => {
    await moveTo(engine, toys.stores, 'primary')
    toys.current.put('p1/a', 'other')
    let back = once('steppedBack')
    expect(await read()).toBe('other')
    expect(await back).toMatchObject({ from: 'primary', to: 'shadow' })
    back = once('steppedBack')
    expect(await read()).toBe('one')
    expect(await back).toMatchObject({ from: 'shadow', to: 'dual' })
    // Here it ends: nothing is compared, and nothing goes forward by itself.
    await read()
    expect(await phase()).toBe('dual')
  })

  it('is one step back, however many processes and reads find it', async () => {
    await moveTo(engine, toys.stores, 'primary')
    toys.current.put('p1/a', 'other')
    const others = [open(), open({ comparisonsMax: 20 }), open()]
    await Promise.all(others.flatMap((one) => Array.from({ length: 6 }, () => read(one))))
    await eventually(() => results.filter((result) => result === 'different').length === 14)
    await Promise.all(opened.map((one) => one.close()))
    expect(await engine.status('toys')).toMatchObject({ phase: 'shadow', revision: 5 })
  })

  it('lets nobody forward again without a new comparison', async () => {
    await moveTo(engine, toys.stores, 'shadow')
    await engine.compare(toys.stores)
    toys.current.put('p1/a', 'other')
    const back = once('steppedBack')
    await read()
    await back
    await expect(engine.advance('toys', { reason: 'again' })).rejects.toMatchObject({
      code: 'CUTOVER_REFUSED',
    })
    toys.current.put('p1/a', 'one')
    await engine.compare(toys.stores)
    expect((await engine.advance('toys', { reason: 'mended' })).phase).toBe('shadow')
  })

  it('steps back also when somebody has gone forward while it was looked at', async () => {
    const slow = open({ recheckMs: [20, 300] })
    await moveTo(engine, toys.stores, 'shadow')
    await engine.compare(toys.stores)
    toys.current.put('p1/a', 'other')
    const back = once('steppedBack', slow)
    await read(slow)
    await engine.advance('toys', { reason: 'too early' })
    expect(await back).toMatchObject({ from: 'primary', to: 'shadow' })
  })

  it('steps back as soon as the database is there again', async () => {
    await moveTo(engine, toys.stores, 'shadow')
    toys.current.put('p1/a', 'other')
    const file = new Sqlite(place.options.path)
    file.exec('alter table parity_differences rename to hidden')
    const disturbed = once('disturbed')
    const back = once('steppedBack')
    await read()
    expect(await disturbed).toMatchObject({ where: 'step back of toys' })
    expect(await phase()).toBe('shadow')
    file.exec('alter table hidden rename to parity_differences')
    file.close()
    expect(await back).toMatchObject({ to: 'dual' })
  })
})

describe('a read is no difference', () => {
  it('when the second store has the write a moment later', async () => {
    await moveTo(engine, toys.stores, 'shadow')
    toys.legacy.put('p1/a', 'two')
    const answer = read()
    const seen = once('compared')
    expect(await answer).toBe('two')
    toys.current.put('p1/a', 'two')
    expect(await seen).toMatchObject({ result: expect.stringMatching(/equal|late/) })
    expect(await phase()).toBe('shadow')
  })

  it('when it changes each time it is looked at', async () => {
    await moveTo(engine, toys.stores, 'shadow')
    let n = 0
    const seen = once('compared')
    await engine.read('toys', {
      what: 'the newest',
      legacy: async () => n++,
      current: async () => n++,
      ...{ same: Object.is, text: String },
    })
    expect(await seen).toMatchObject({ result: 'moving' })
    expect(await phase()).toBe('shadow')
  })

  it('when the other store lacks what was written without it and is not copied yet', async () => {
    await moveTo(engine, toys.stores, 'done')
    await engine.write('toys', { current: async () => toys.current.put('p1/b', 'new') })
    await engine.rollback('toys', { reason: 'back' })
    expect(await read(engine, 'p1/b')).toBe('new')
    await engine.copy(toys.stores)
    const seen = once('compared')
    expect(await read(engine, 'p1/b')).toBe('new')
    expect(await seen).toMatchObject({ result: 'equal' })
    expect(results).toEqual(['equal'])
  })

  it('when the other store cannot be read: the caller has its answer, and it is told', async () => {
    await moveTo(engine, toys.stores, 'shadow')
    const told = once('unread')
    const answer = engine.read('toys', {
      what: 'toy',
      legacy: async () => 1,
      current: async () => Promise.reject(new Error('no such file')),
      ...{ same: Object.is, text: String },
    })
    expect(await answer).toBe(1)
    expect(await told).toEqual({ feature: 'toys', what: 'toy', reason: 'no such file' })
    expect(await phase()).toBe('shadow')
  })
})

describe('comparisons', () => {
  it('are one of so many reads, as many at once as allowed, and counted over all processes', async () => {
    await moveTo(engine, toys.stores, 'shadow')
    for (let n = 0; n < 9; n++) await read(engine, 'p1/a', { every: 3 })
    await eventually(() => results.length === 3)
    const other = open({ comparisonsMax: 1 })
    let skipped = 0
    other.events.on('skipped', () => skipped++)
    await other.ready()
    await Promise.all([read(other), read(other), read(other)])
    await eventually(() => results.length + skipped === 6)
    expect(skipped).toBe(2)
    await Promise.all(opened.map((one) => one.close()))
    expect(await engine.status('toys')).toMatchObject({ shadow: { compared: 4, different: 0 } })
  })

  it('are counted also when a count could not be written, with those that came meanwhile', async () => {
    await moveTo(engine, toys.stores, 'shadow')
    const begun = Promise.withResolvers<void>()
    const failed = Promise.withResolvers<never>()
    let isAway = true
    const write: Database['write'] = async (work) => {
      if (!isAway) return place.database.write(work)
      isAway = false
      begun.resolve()
      return failed.promise
    }
    const other = openEngine({ ...place.database, write }, { leaseMs: 5 })
    const stop = new AbortController()
    const following = other.task(stop.signal)
    let seen = once('compared', other)
    await read(other)
    await seen
    await begun.promise
    seen = once('compared', other)
    await read(other)
    await seen
    failed.reject(new Error('away'))
    stop.abort()
    await following
    await other.close()
    expect(await engine.status('toys')).toMatchObject({ shadow: { compared: 2 } })
  })

  it('are made in the phases that compare, and in no other', async () => {
    await engine.ready()
    for (const expected of ['legacy', 'dual', 'shadow', 'primary', 'done'] as const) {
      if (expected === 'dual') await moveTo(engine, toys.stores, 'dual')
      else if (expected !== 'legacy') {
        await engine.compare(toys.stores)
        await engine.advance('toys', { reason: 'on' })
      }
      expect(engine.phase('toys')).toBe(expected)
      const seen = expected === 'shadow' || expected === 'primary' ? once('compared') : undefined
      await read()
      await seen
    }
    expect(results).toEqual(['equal', 'equal'])
  })
})
