// Which step is allowed when, on both databases.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Cutover } from '../../src/cutover/index.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { type FeatureName, forgetCutovers, moveTo, openEngine, openToys, type Toys } from './rig.ts'

describe.each(drivers)('steps on %s', (driver) => {
  let place: TestDatabase
  let folder: string
  let toys: Toys
  let engine: Cutover<FeatureName>
  beforeAll(async () => {
    place = await openTestDatabase(driver)
  })
  afterAll(() => place.close())
  beforeEach(async () => {
    await forgetCutovers(place.database)
    folder = mkdtempSync(join(tmpdir(), 'sluice-toys-'))
    toys = openToys(folder)
    engine = openEngine(place.database, { leaseMs: 5 })
    for (let n = 0; n < 120; n++) toys.legacy.put(`p${n % 4}/${String(n).padStart(4, '0')}`, `value ${n}`)
  })
  afterEach(async () => {
    await engine.close()
    toys.close()
    rmSync(folder, { recursive: true })
  })

  const advance = (reason = 'because') => engine.advance('toys', { reason })
  const rollback = (reason = 'because') => engine.rollback('toys', { reason })
  const refusedWith = (what: RegExp) => ({ code: 'CUTOVER_REFUSED', message: expect.stringMatching(what) })
  const phase = async () => (await engine.status('toys')).phase

  it('go from legacy to done and all the way back, each with its reason', async () => {
    await moveTo(engine, toys.stores, 'done')
    expect(await phase()).toBe('done')
    await rollback('back')
    await engine.copy(toys.stores)
    for (const expected of ['shadow', 'dual', 'legacy']) {
      await rollback('back')
      expect(await phase()).toBe(expected)
    }
    const { changes, revision } = await engine.status('toys')
    expect(changes.length).toBe(revision)
    expect(changes.map(({ from, to }) => `${from} ${to}`).toReversed()).toEqual([
      'legacy dual',
      'dual dual',
      'dual shadow',
      'shadow primary',
      'primary done',
      'done primary',
      'primary primary',
      'primary shadow',
      'shadow dual',
      'dual legacy',
    ])
    expect(changes.at(-2)!.reason).toBe('copied 4 parts, 120 records, into the current store')
  })

  it('beyond dual are refused until everything was copied', async () => {
    await advance()
    await engine.compare({ ...toys.stores, parts: async () => [] })
    await expect(advance()).rejects.toMatchObject(refusedWith(/sluice cutover copy toys/))
  })

  it('are refused without a comparison of the present revision', async () => {
    await advance()
    await engine.compare(toys.stores)
    await engine.copy(toys.stores)
    // The copy came after that comparison.
    await expect(advance()).rejects.toMatchObject(refusedWith(/sluice parity run toys/))
    await engine.compare(toys.stores)
    expect((await advance()).phase).toBe('shadow')
    await expect(advance()).rejects.toMatchObject(refusedWith(/nothing was compared since the last change/))
  })

  it('are refused while the last comparison has differences, and allowed once they are gone', async () => {
    await advance()
    await engine.copy(toys.stores)
    toys.current.put('p1/0001', 'wrong')
    toys.current.remove('p2/0002')
    expect(await engine.compare(toys.stores)).toMatchObject({ compared: 120, different: 2 })
    await expect(advance()).rejects.toMatchObject(refusedWith(/2 differences/))
    await engine.copy(toys.stores)
    expect(await engine.compare(toys.stores)).toMatchObject({ compared: 120, different: 0 })
    expect((await advance()).phase).toBe('shadow')
  })

  it('are refused while a copy is under way or was ended in the middle', async () => {
    await advance()
    await engine.copy(toys.stores)
    await engine.compare(toys.stores)
    const stop = new AbortController()
    const ended = engine.copy(toys.stores, { signal: stop.signal, onProgress: () => stop.abort() })
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' })
    await expect(advance()).rejects.toMatchObject(refusedWith(/copy has not come to its end/))
  })

  it('of a comparison that was not ended prove nothing', async () => {
    await advance()
    await engine.copy(toys.stores)
    const stop = new AbortController()
    const run = engine.compare(toys.stores, { signal: stop.signal, onProgress: () => stop.abort() })
    await expect(run).rejects.toMatchObject({ name: 'AbortError' })
    await expect(advance()).rejects.toMatchObject(refusedWith(/nothing was compared/))
  })

  it('let one of several operators win and tell the others what happened', async () => {
    const others = Array.from({ length: 5 }, () => openEngine(place.database))
    const steps = await Promise.allSettled(
      others.map((one, i) => one.advance('toys', { reason: `operator ${i}`, revision: 0 })),
    )
    expect(steps.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    const refused = steps.filter((step) => step.status === 'rejected').map(({ reason }) => reason)
    expect(refused.map(({ code }) => code)).toEqual(Array(4).fill('CUTOVER_CONFLICT'))
    expect(refused[0].message).toMatch(/toys is in dual, revision 1; .* Last reason: operator \d/)
    expect(await engine.status('toys')).toMatchObject({ phase: 'dual', revision: 1 })
    await expect(engine.rollback('toys', { reason: 'late', revision: 0 })).rejects.toMatchObject({
      code: 'CUTOVER_CONFLICT',
    })
  })

  it('end a copy that began before them', async () => {
    await advance()
    const copy = engine.copy({
      ...toys.stores,
      async copy(...part) {
        if ((await phase()) === 'dual') await rollback('stop')
        await toys.stores.copy(...part)
      },
    })
    await expect(copy).rejects.toMatchObject({ code: 'CUTOVER_CONFLICT' })
    expect(await engine.status('toys')).toMatchObject({ phase: 'legacy', complete: false })
  })

  it('back to a store that was not written need a copy into it', async () => {
    await moveTo(engine, toys.stores, 'done')
    toys.current.put('p1/later', 'only here')
    await rollback()
    await expect(rollback()).rejects.toMatchObject(
      refusedWith(/former store lacks .* sluice cutover copy toys/),
    )
    expect(await engine.copy(toys.stores)).toMatchObject({ to: 'legacy', records: 121 })
    expect(toys.legacy.get('p1/later')).toBe('only here')
    expect((await rollback()).phase).toBe('shadow')
  })

  it('do not go before the first or behind the last phase, and copy only where both are written', async () => {
    await expect(rollback()).rejects.toMatchObject(refusedWith(/first phase/))
    await expect(engine.copy(toys.stores)).rejects.toMatchObject(refusedWith(/sluice cutover advance/))
    await moveTo(engine, toys.stores, 'done')
    await expect(advance()).rejects.toMatchObject(refusedWith(/no further phase/))
    await expect(engine.copy(toys.stores)).rejects.toMatchObject(refusedWith(/sluice cutover rollback/))
  })

  it('need a reason and a feature that there is', async () => {
    await expect(advance(' ')).rejects.toMatchObject({ code: 'USAGE' })
    await expect(engine.advance('toyz' as 'toys', { reason: 'x' })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'There is no feature "toyz"; allowed: toys, others.',
    })
    expect(await engine.status('others')).toMatchObject({ phase: 'legacy', revision: 0, missing: undefined })
  })
})
