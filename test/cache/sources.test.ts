// Where answers come from: what is warmed is what a reader's own load gives, for each view, on both databases.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { placeOf } from '../../src/cache/index.ts'
import { decodeKey } from '../../src/cache/source.ts'
import { VIEWS } from '../../src/catalog/index.ts'
import { LIMIT_DEFAULT, PAGE_LIMITS } from '../../src/console/index.ts'
import { bookFunding } from '../../src/funding/book-funding.ts'
import { bookEvent } from '../../src/ledger/book-event.ts'
import { allSources, openSources } from '../../src/sources.ts'
import { aContext, aRate } from '../funding/events.ts'
import { SYMBOLS, storyOf } from '../ledger/events.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

const NEVER = new AbortController().signal

describe.each(drivers)('the sources of the views on %s', (driver) => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase(driver)
    const told = SYMBOLS.flatMap((symbol, seed) =>
      fc.sample(storyOf(symbol, 100), { numRuns: 30, seed }).reduce((a, b) => (a.length > b.length ? a : b)),
    )
    const said = ['alpha', 'beta'].flatMap((venue) => [aRate({ venue }), aContext({ venue })])
    for (const event of said) {
      await test.database.write((tx) => bookFunding(tx, `${event.type} ${event.venue}`, event))
    }
    for (const { eventId, data } of told) await test.database.write((tx) => bookEvent(tx, eventId, data))
  })
  afterAll(() => test.close())

  it('are one for each view that Redis keeps', () => {
    const sources = allSources(openSources(test.database))
    const kept = VIEWS.filter(({ level }) => level !== 'memory')
    expect(sources.map(({ view }) => view.name).sort()).toEqual(kept.map(({ name }) => name).sort())
  })

  it('warm what a reader loads', async () => {
    const sources = allSources(openSources(test.database)).filter(({ warm }) => warm)
    expect(sources.length).toBeGreaterThan(3)
    for (const { view, warm, load } of sources) {
      const keys = await warm!.keys()
      const warmed = await warm!.loadMany(keys, NEVER)
      const read = await Promise.all(keys.map((key) => load(key, NEVER)))
      expect({ view: view.name, warmed }).toEqual({ view: view.name, warmed: read })
      for (const value of warmed) expect(view.shape.parse(value)).toEqual(value)
    }
  })

  it('of what venues say are warmed for all together and for each', async () => {
    const { funding } = openSources(test.database)
    expect(await funding.warm!.keys()).toEqual([['-'], ['alpha'], ['beta']])
    expect(await funding.load(['beta'], NEVER)).toMatchObject([{ venue: 'beta' }])
    expect(await funding.load(['-'], NEVER)).toHaveLength(2)
  })

  it('hold enough rows to tell a list from its beginning', async () => {
    const { trades } = openSources(test.database)
    expect((await trades.load([LIMIT_DEFAULT], NEVER)).length).toBeGreaterThan(PAGE_LIMITS.rows)
  })

  it('find the key that a place in Redis names, and refuse any other', () => {
    const sources = allSources(openSources(test.database))
    for (const source of sources) {
      const parts = source.view.parts.map(() => '25')
      const key = source.keyOf(parts)
      const text = placeOf(source.view, key).slice(source.view.name.length + 1)
      expect(decodeKey(source, text)).toEqual(key)
    }
    const trades = sources.find(({ view }) => view.name === 'trades')!
    for (const text of ['', 'x', '025', '25:1', '%']) expect(decodeKey(trades, text)).toBeUndefined()
  })
})
