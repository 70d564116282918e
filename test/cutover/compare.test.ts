// The comparison of everything: finds each difference, and takes nothing for one that is only on its way.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Cutover, Difference, FeatureStores, Side } from '../../src/cutover/index.ts'
import { mergeRecords } from '../../src/cutover/merge.ts'
import { openSuspects } from '../../src/cutover/suspects.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { type FeatureName, forgetCutovers, openEngine } from './rig.ts'

type Contents = Record<string, string>

let place: TestDatabase
let engine: Cutover<FeatureName>
beforeAll(async () => {
  place = await openTestDatabase('sqlite')
  engine = openEngine(place.database, { lookAgainMs: 1 })
})
afterAll(async () => {
  await engine.close()
  await place.close()
})
beforeEach(() => forgetCutovers(place.database))

async function* pagesOf(contents: Contents, size: number) {
  const records = Object.entries(contents)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value }))
  for (let at = 0; at < records.length; at += size) yield records.slice(at, at + size)
}

/** One part; `onRead` is called before each reading of a side. */
function storesOf(both: Record<Side, Contents>, onRead: (side: Side) => void = () => {}): FeatureStores {
  return {
    name: 'toys',
    parts: async (side) => [{ name: 'all', records: Object.keys(both[side]).length }],
    records(side) {
      onRead(side)
      return pagesOf({ ...both[side] }, side === 'legacy' ? 7 : 3)
    },
    copy: async () => {},
  }
}

async function compared(stores: FeatureStores) {
  const found: Difference[] = []
  const run = await engine.compare(stores, { onDifference: (one) => found.push(one) })
  return { found, run }
}

describe('a comparison', () => {
  it('finds exactly the records that differ or are missing, whatever the pages', async () => {
    const contents = fc.dictionary(fc.string({ minLength: 1, maxLength: 2 }), fc.constantFrom('a', 'b'))
    await fc.assert(
      fc.asyncProperty(contents, contents, fc.integer({ min: 1, max: 5 }), async (legacy, current, size) => {
        const found: Difference[] = []
        let count = 0
        const listener = {
          onDifference: (one: Difference) => void found.push(one),
          onRecords: async (more: number) => {
            count += more
          },
        }
        await mergeRecords(pagesOf(legacy, size), pagesOf(current, 2), listener)
        const keys = [...new Set([...Object.keys(legacy), ...Object.keys(current)])].sort()
        expect(count).toBe(keys.length)
        expect(found).toEqual(
          keys
            .map((key) => ({ key, legacy: legacy[key] ?? null, current: current[key] ?? null }))
            .filter((one) => one.legacy !== one.current),
        )
      }),
    )
  })

  it('proves nothing where all that there is may still change, and something where there is nothing', async () => {
    const stores = storesOf({ legacy: {}, current: {} })
    expect((await compared(stores)).run).toMatchObject({ compared: 0, endedAt: expect.any(Number) })
    const young = { ...stores, parts: async () => [{ name: 'all', records: 3 }] }
    expect((await compared(young)).run).toMatchObject({ compared: 0, endedAt: undefined })
  })

  it('does not report what comes into the second store while it runs', async () => {
    const both = { legacy: { a: '1', b: '2', c: '3' } as Contents, current: { a: '1', b: 'old' } as Contents }
    let reads = 0
    const stores = storesOf(both, () => {
      // On its way at the first look, there at the second; then the next write is.
      if (++reads === 3) Object.assign(both.current, { b: '2', c: '3' })
      if (reads === 3) both.legacy['d'] = '4'
      if (reads === 5) both.current['d'] = '4'
    })
    expect((await compared(stores)).run).toMatchObject({ compared: 3, different: 0 })
    expect((await compared(storesOf({ legacy: { a: '1' }, current: {} }))).found).toEqual([
      { key: 'a', legacy: '1', current: null },
    ])
  })

  it('counts all differences and keeps the first thousand', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 2_500 }, (_, i) => [String(i).padStart(5, '0'), 'x']),
    )
    const { found, run } = await compared(storesOf({ legacy: many, current: { '00007': 'x' } }))
    expect(run).toMatchObject({ compared: 2_500, different: 2_499 })
    expect(found.length).toBe(2_499)
    const report = await engine.report('toys', run.id, 5_000)
    expect(report!.differences.length).toBe(1_000)
    expect(report!.run).toEqual(run)
  })

  it('stops at a store whose records are not in order, instead of calling the rest missing', async () => {
    const stores: FeatureStores = {
      ...storesOf({ legacy: { a: '1' }, current: {} }),
      async *records(side) {
        yield ['a', 'c', 'b']
          .map((key) => ({ key: side === 'legacy' ? 'a' : key, value: '' }))
          .slice(0, side === 'legacy' ? 1 : 3)
      },
    }
    await expect(compared(stores)).rejects.toThrow('The current store gave b behind c')
  })
})

describe('suspects', () => {
  it('are what differs in each look; of more than can be remembered all are counted', () => {
    const suspects = openSuspects(3)
    for (const key of ['a', 'b', 'c', 'd', 'e']) expect(suspects.add('p', key)).toBe(true)
    expect(suspects.add('q', 'x')).toBe(true)
    suspects.nextLook()
    const again = ['a', 'bb', 'c', 'd', 'f'].map((key) => suspects.add('p', key))
    expect(again).toEqual([true, false, true, true, true])
    expect(suspects.add('q', 'y')).toBe(true)
    expect([suspects.count(), suspects.has('p'), suspects.has('z')]).toEqual([5, true, false])
  })
})
