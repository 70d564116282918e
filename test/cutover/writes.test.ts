// Processes that have not learned of a change yet: whatever they do for a moment, no store that is counted on may lack a
// write. Here one engine is kept in the dark while another one goes on.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Cutover, Phase } from '../../src/cutover/index.ts'
import { openDatabase } from '../../src/db/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { type FeatureName, moveTo, openEngine, openToys, type Toys } from './rig.ts'

let place: TestDatabase
let folder: string
let toys: Toys
let operator: Cutover<FeatureName>
/** Knows what it knew when it was asked to be ready: nothing tells it of changes. */
let late: Cutover<FeatureName>
beforeEach(async () => {
  place = await openTestDatabase('sqlite')
  folder = mkdtempSync(join(tmpdir(), 'sluice-toys-'))
  toys = openToys(folder)
  operator = openEngine(place.database)
  late = openEngine(place.database)
})
afterEach(async () => {
  await Promise.all([operator.close(), late.close()])
  toys.close()
  rmSync(folder, { recursive: true })
  await place.close()
})

/** A write that stays in the middle of its first store until it is let go. */
function slowWrite(by: Cutover<FeatureName>, key: string) {
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const put = (side: 'legacy' | 'current') => async () => {
    begun.resolve()
    await gate.promise
    toys[side].put(key, 'value')
  }
  const done = by.write('toys', { legacy: put('legacy'), current: put('current') })
  return { begun: begun.promise, letGo: gate.resolve, done }
}

const phases = (engine: Cutover<FeatureName>): Phase => engine.phase('toys')
const missing = () => ({
  legacy: toys.current.keys().filter((key) => toys.legacy.get(key) === undefined),
  current: toys.legacy.keys().filter((key) => toys.current.get(key) === undefined),
})

describe('a write by who still knows the phase before', () => {
  it('is in the new store after it was copied, also when it began before and ends afterwards', async () => {
    await late.ready()
    const write = slowWrite(late, 'p1/x')
    await write.begun
    await operator.advance('toys', { reason: 'begin' })
    await operator.copy(toys.stores)
    expect(phases(late)).toBe('legacy')
    write.letGo()
    expect(await write.done).toEqual({ legacy: true, current: true })
    expect(missing()).toEqual({ legacy: [], current: [] })
  })

  it('would be lost by a copy that does not wait', async () => {
    const hasty = openEngine(place.database, { leaseMs: 0 })
    const slow = openEngine(place.database, { leaseMs: 60_000 })
    await slow.ready()
    const write = slowWrite(slow, 'p1/x')
    await write.begun
    await hasty.advance('toys', { reason: 'begin' })
    await hasty.copy(toys.stores)
    write.letGo()
    expect(await write.done).toEqual({ legacy: true, current: false })
    expect(missing()).toEqual({ legacy: [], current: ['p1/x'] })
  })

  it('is in the former store after the way back from done', async () => {
    await moveTo(operator, toys.stores, 'done')
    await late.ready()
    const write = slowWrite(late, 'p1/x')
    await write.begun
    await operator.rollback('toys', { reason: 'back' })
    await operator.copy(toys.stores)
    expect(phases(late)).toBe('done')
    write.letGo()
    expect(await write.done).toEqual({ legacy: true, current: true })
    expect((await operator.rollback('toys', { reason: 'back' })).phase).toBe('shadow')
    expect(missing()).toEqual({ legacy: [], current: [] })
  })

  it('goes into both, when the other way is the one it does not know of yet', async () => {
    await operator.advance('toys', { reason: 'begin' })
    await late.ready()
    await operator.rollback('toys', { reason: 'no' })
    expect(await late.write('toys', writing('p1/y'))).toEqual({ legacy: true, current: true })
  })

  it('comes into the answering store first, and is not tried in the other when that one fails', async () => {
    await moveTo(operator, toys.stores, 'primary')
    const order: string[] = []
    const note = (side: string) => async () => void order.push(side)
    await operator.write('toys', { legacy: note('legacy'), current: note('current') })
    expect(order).toEqual(['current', 'legacy'])
    const failing = async () => Promise.reject(new Error('disk full'))
    await expect(operator.write('toys', { legacy: note('late'), current: failing })).rejects.toThrow(
      'disk full',
    )
    expect(order).toEqual(['current', 'legacy'])
  })
})

const writing = (key: string) => ({
  legacy: async () => toys.legacy.put(key, 'value'),
  current: async () => toys.current.put(key, 'value'),
})

describe('a process in which nobody follows changes', () => {
  it('learns of them when it is asked', async () => {
    await late.ready()
    await operator.advance('toys', { reason: 'begin' })
    const learned = async () => {
      await late.ready()
      return phases(late) === 'dual'
    }
    expect(await eventually(learned)).toBe(true)
  })
})

describe('a process that cannot ask the database', () => {
  /** A database of its own that refuses everything from then on. */
  async function blinded(phase: 'legacy' | 'dual' | 'done') {
    if (phase !== 'legacy') await moveTo(operator, toys.stores, phase)
    const own = openDatabase(place.options)
    const blind = openEngine(own)
    await blind.ready()
    await own.close()
    return blind
  }
  const staleOf = (engine: Cutover<FeatureName>) =>
    eventually(() =>
      engine.write('toys', writing('p1/stale')).then(
        () => undefined,
        (error: unknown) => error,
      ),
    )

  it('keeps the phase, and after a while leaves out no store any more', async () => {
    const blind = await blinded('legacy')
    expect(await staleOf(blind)).toMatchObject({ code: 'CUTOVER_UNKNOWN' })
    expect(phases(blind)).toBe('legacy')
    expect(blind.reads('toys')).toBe('legacy')
    // What it could do is done: coming again writes it a second time, which a store bears.
    expect(toys.legacy.get('p1/stale')).toBe('value')
    expect(await blind.write('toys', { legacy: async () => undefined })).toEqual({
      legacy: true,
      current: false,
    })
  })

  it('writes both stores for as long as it likes', async () => {
    const blind = await blinded('dual')
    const task = new AbortController()
    const reported = new Promise((resolve) => blind.events.once('blind', resolve))
    const running = blind.task(task.signal)
    expect(await reported).toMatchObject({ reason: expect.stringMatching('after close') })
    expect(await blind.write('toys', writing('p1/blind'))).toEqual({ legacy: true, current: true })
    task.abort()
    await running
  })

  it('says that it sees again, and goes by what it sees', async () => {
    const file = new Sqlite(place.options.path)
    const stop = new AbortController()
    const said: string[] = []
    late.events.on('blind', () => said.push('blind'))
    late.events.on('sighted', () => said.push('sighted'))
    const running = late.task(stop.signal)
    await eventually(() => phases(late))
    file.exec('alter table cutovers rename to hidden')
    await eventually(() => said.includes('blind'))
    expect(phases(late)).toBe('legacy')
    file.exec('alter table hidden rename to cutovers')
    await eventually(() => said.includes('sighted'))
    await operator.advance('toys', { reason: 'begin' })
    await eventually(() => phases(late) === 'dual')
    expect(said).toEqual(['blind', 'sighted'])
    stop.abort()
    await running
    file.close()
  })

  it('does not begin without having asked', async () => {
    const own = openDatabase(place.options)
    await own.close()
    const blind = openEngine(own)
    await expect(blind.ready()).rejects.toMatchObject({ code: 'CUTOVER_UNKNOWN' })
    await expect(blind.write('toys', writing('p1/x'))).rejects.toMatchObject({ code: 'CUTOVER_UNKNOWN' })
    expect(() => blind.phase('toys')).toThrow('have not been read yet')
    expect(toys.legacy.keys()).toEqual([])
  })

  it('does not go on in a phase that it does not know', async () => {
    await operator.advance('toys', { reason: 'begin' })
    const file = new Sqlite(place.options.path)
    file.exec(`update cutovers set phase = 'quantum'`)
    file.close()
    await expect(late.ready()).rejects.toMatchObject({
      code: 'CUTOVER_UNKNOWN',
      message: expect.stringContaining('quantum'),
    })
  })
})

describe('steps that wait until nobody acts on what was before', () => {
  it('are those after which a store is not written any more, and a copy', async () => {
    const waits: string[] = []
    const waiting = (name: string) => ({ reason: 'x', onWait: () => void waits.push(name) })
    const forward = async (name: string) => {
      if (name !== 'dual') await operator.compare(toys.stores)
      await operator.advance('toys', waiting(name))
    }
    await forward('dual')
    await operator.copy(toys.stores, { onWait: () => void waits.push('copy') })
    for (const name of ['shadow', 'primary', 'done']) await forward(name)
    await operator.rollback('toys', waiting('primary again'))
    await operator.copy(toys.stores, { onWait: () => void waits.push('copy back') })
    for (const name of ['shadow again', 'dual again', 'legacy again'])
      await operator.rollback('toys', waiting(name))
    expect(waits).toEqual(['copy', 'done', 'copy back', 'legacy again'])
  })
})
