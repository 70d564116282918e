import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DetectorConfig, detector, detectorEmitter } from '../../src/arbitrage/detector.ts'
import type { Entry, Outgoing } from '../../src/bus/index.ts'
import { type Opportunity, opportunity, type QuoteMessage } from '../../src/catalog/index.ts'
import { deriveId, readConfig } from '../../src/kernel/index.ts'
import { entryOf, quoteOf, type VenueGiven, venueTable } from './entries.ts'

const T = 1_700_000_000_000
const SYMBOL = 'BTC/USDT'

/** Feeds quotes of (venue, bid, ask, at) and collects what was said and what was refused. */
function running(
  venues: Record<string, VenueGiven> = { a: {}, b: {}, c: {} },
  more: Partial<DetectorConfig> = {},
) {
  const events = detectorEmitter()
  const refused: string[] = []
  events.on('refused', ({ reason, venue }) => refused.push(`${reason} ${venue}`))
  const fold = detector(venueTable(venues), { ...readConfig({}), ...more }, events)
  const state = fold.start()
  const said: Outgoing[] = []
  const apply = (entry: Entry<QuoteMessage>) => {
    const { events: out } = fold.apply(state, entry)
    said.push(...out)
    return out.map((o) => o.data as Opportunity)
  }
  const at = (ms: number, venue: string, bid: number, ask: number, quoteMs = ms) =>
    apply(entryOf({ venue, quotes: [quoteOf(SYMBOL, bid, ask, T + quoteMs)] }, T + ms))
  return { at, apply, said, refused }
}

describe('detector', () => {
  it('tells an opportunity once at first and once at last sight, with life and best edge', () => {
    const { at, said } = running()
    expect(at(0, 'a', 100, 101)).toEqual([])
    const [opened] = at(100, 'b', 102, 103)
    expect(opened).toMatchObject({
      phase: 'opened',
      buyVenue: 'a',
      sellVenue: 'b',
      buyPrice: 101,
      sellPrice: 102,
    })
    expect(opened).toMatchObject({
      openedAt: T + 100,
      lastSeenAt: T + 100,
      reason: 'open',
      quantity: 1,
      profit: 1,
    })
    expect(at(200, 'b', 103, 104)).toEqual([])
    const [closed] = at(300, 'b', 100.5, 104)
    expect(closed).toMatchObject({ id: opened!.id, phase: 'closed', reason: 'gone', lastSeenAt: T + 200 })
    expect(closed!.edgeBps).toBeCloseTo((102 / 101 - 1) * 10_000)
    expect(closed!.bestEdgeBps).toBeCloseTo((103 / 101 - 1) * 10_000)
    expect(said.map((o) => o.time)).toEqual([T + 100, T + 300])
    for (const { data } of said) expect(() => opportunity.parse(data)).not.toThrow()
  })

  it('derives ids from what opened it and names the entries of both quotes', () => {
    const { apply, said } = running()
    const first = entryOf({ venue: 'a', quotes: [quoteOf(SYMBOL, 100, 101, T)] }, T)
    const second = entryOf({ venue: 'b', quotes: [quoteOf(SYMBOL, 102, 103, T)] }, T + 1)
    apply(first)
    const [opened] = apply(second)
    expect(opened!.id).toBe(deriveId(SYMBOL, 'a', 'b', second.id))
    expect(said[0]!.id).toBe(deriveId(opened!.id, 'opened'))
    expect(opened!.sources).toEqual([
      {
        venue: 'a',
        stream: 'market.quotes',
        partition: 3,
        entry: first.entry,
        eventId: first.id,
        quoteTime: T,
      },
      {
        venue: 'b',
        stream: 'market.quotes',
        partition: 3,
        entry: second.entry,
        eventId: second.id,
        quoteTime: T,
      },
    ])
  })

  it('looks at every pair of venues in both directions', () => {
    const { at } = running()
    at(0, 'a', 100, 101)
    expect(at(1, 'b', 102, 103).map((o) => `${o.buyVenue}${o.sellVenue}`)).toEqual(['ab'])
    expect(at(2, 'c', 104, 105).map((o) => `${o.buyVenue}${o.sellVenue}`)).toEqual(['ac', 'bc'])
    expect(at(3, 'c', 98, 99).map((o) => `${o.phase} ${o.buyVenue}${o.sellVenue}`)).toEqual([
      'closed ac',
      'opened ca',
      'closed bc',
      'opened cb',
    ])
  })

  it('takes both fees and the minimum edge off before it calls anything an opportunity', () => {
    expect(openings(running({ a: { feeBps: 50 }, b: { feeBps: 50 } }))).toBe(0)
    expect(openings(running({ a: { feeBps: 40 }, b: { feeBps: 40 } }))).toBe(1)
    expect(openings(running({ a: {}, b: {} }, { MIN_EDGE_BPS: 99.1 }))).toBe(0)
    expect(openings(running({ a: {}, b: {} }, { MIN_EDGE_BPS: 98.9 }))).toBe(1)
    function openings({ at }: ReturnType<typeof running>) {
      at(0, 'a', 100, 101)
      return at(1, 'b', 102, 103).length
    }
  })

  it('applies the quotes of one message together before it evaluates', () => {
    const { apply } = running()
    const board = 'all'
    const both = (venue: string, price: number, time: number) =>
      entryOf({ venue, board, quotes: ['A/X', 'B/X'].map((s) => quoteOf(s, price, price + 1, time)) }, time)
    apply(both('a', 100, T))
    const out = apply(both('b', 102, T + 1))
    expect(out.map((o) => o.symbol)).toEqual(['A/X', 'B/X'])
    // The last quote of a symbol within a message is the state; the one before it never was.
    const twice = [quoteOf('A/X', 90, 91, T + 2), quoteOf('A/X', 102, 103, T + 2)]
    expect(apply(entryOf({ venue: 'b', board, quotes: twice }, T + 2))).toEqual([])
  })

  it('does not trade quotes that are too old, from the future, or overtaken by a newer one', () => {
    const { at, refused } = running()
    at(0, 'a', 100, 101)
    expect(at(5_001, 'b', 102, 103)).toEqual([])
    expect(at(5_002, 'a', 100, 101, 1)).toEqual([])
    expect(at(5_003, 'a', 100, 101, 6_004)).toEqual([])
    expect(at(5_004, 'a', 100, 101, 5_000)).toHaveLength(1)
    expect(at(5_005, 'a', 102, 103, 4_999)).toEqual([])
    expect(refused).toEqual(['too_old a', 'future a', 'superseded a'])
  })

  it('forgets the board that was silent for longest when more are named than it keeps, and closes what is open', () => {
    const { at, apply, refused } = running()
    const named = (i: number) => apply(entryOf({ venue: 'a', quotes: [quoteOf(`S${i}/X`, 1, 2, T)] }, T + i))
    const kept = 1_000
    at(0, 'a', 100, 101)
    expect(at(0, 'b', 102, 103)).toHaveLength(1)
    for (let i = 1; i < kept; i += 1) expect(named(i)).toEqual([])
    expect(refused).toEqual([])
    expect(named(kept)).toMatchObject([{ phase: 'closed', reason: 'stale', symbol: SYMBOL }])
    named(kept + 1)
    expect(refused).toEqual(['forgotten a', 'forgotten b', 'forgotten a'])
    // It begins anew when it is heard again: b alone is no pair.
    expect(at(kept + 3, 'b', 102, 103)).toEqual([])
  })

  it('closes as stale when the next entry of the board shows it, also a heartbeat or another venue', () => {
    const { at, apply } = running()
    at(0, 'a', 100, 101)
    at(1, 'b', 102, 103)
    expect(apply(entryOf({ venue: 'c', board: 'other' }, T + 60_000))).toEqual([])
    expect(apply(entryOf({ venue: 'c' }, T + 5_000))).toEqual([])
    expect(apply(entryOf({ venue: 'c' }, T + 5_001))).toMatchObject([
      { phase: 'closed', reason: 'stale', lastSeenAt: T + 1 },
    ])
  })

  it('never pairs a simulated venue with a recorded one, and labels what is simulated', () => {
    const { at, apply, refused } = running({ a: {}, s: { kind: 'simulated' }, t: { kind: 'simulated' } })
    at(0, 'a', 100, 101)
    const simulated = (venue: string, bid: number) =>
      apply(entryOf({ venue, simulated: true, quotes: [quoteOf(SYMBOL, bid, bid + 1, T)] }, T))
    expect(simulated('s', 102)).toEqual([])
    expect(simulated('t', 104)).toMatchObject([{ buyVenue: 's', sellVenue: 't', simulated: true }])
    expect(at(1, 's', 90, 91)).toEqual([])
    expect(refused).toEqual(['mislabelled s'])
  })

  it('announces only what both venues take as an order', () => {
    const opened = (given: VenueGiven) => {
      const { at } = running({ a: {}, b: given })
      at(0, 'a', 100, 101)
      return at(1, 'b', 102, 103).length
    }
    expect(opened({ minQuantity: '1' })).toBe(1)
    expect(opened({ minQuantity: '1.1' })).toBe(0)
    expect(opened({ lot: '0.3', minQuantity: '0.9' })).toBe(1)
    expect(opened({ lot: '0.3', minQuantity: '0.91' })).toBe(0)
    expect(opened({ minNotional: '102' })).toBe(1)
    expect(opened({ minNotional: '102.1' })).toBe(0)
  })

  it('ignores and counts venues and symbols that the table does not know', () => {
    const { at, apply, refused } = running({ a: {} })
    at(0, 'nobody', 1, 2)
    apply(entryOf({ venue: 'a', quotes: [quoteOf('NO/NE', 1, 2, T)] }, T))
    expect(refused).toEqual(['unknown_venue nobody', 'unknown_symbol a'])
  })

  it('suspends a pair that disagrees beyond any market until it has agreed for the quarantine', () => {
    const { at, refused } = running()
    at(0, 'a', 100, 101)
    at(1, 'c', 100, 101)
    expect(at(2, 'b', 110, 111)).toEqual([])
    expect(refused).toEqual(['deviation a', 'deviation b', 'deviation c', 'deviation b'])
    expect(at(1_000, 'b', 102, 103)).toEqual([])
    // The pair that never disagreed goes on.
    expect(at(1_001, 'c', 102, 103)).toMatchObject([{ buyVenue: 'a', sellVenue: 'c' }])
    at(60_001, 'a', 100, 101)
    expect(at(60_001, 'b', 102, 103)).toEqual([])
    expect(at(60_002, 'b', 102, 103)).toMatchObject([{ buyVenue: 'a', sellVenue: 'b' }])
  })

  it('suspends a venue that jumps by half within a minute, and not one that returns after a gap', () => {
    const { at, refused } = running({ a: {}, b: {} })
    at(0, 'a', 100, 101)
    at(1, 'a', 40, 41)
    at(2, 'b', 42, 43)
    expect(refused).toEqual(['jump a'])
    at(70_000, 'b', 100, 101)
    expect(at(70_001, 'a', 102, 103)).toHaveLength(1)
    expect(refused).toEqual(['jump a'])
  })
})

describe('the fold of the detector', () => {
  const venues = {
    a: { feeBps: 2 },
    b: {},
    c: {},
    s: { kind: 'simulated' },
    t: { kind: 'simulated' },
  } as const
  const fold = detector(venueTable(venues), readConfig({}))
  const price = fc.integer({ min: 990, max: 1_020 }).map((cents) => cents / 10)
  const step = fc.record({
    venue: fc.constantFrom('a', 'b', 'c', 's', 't', 'unknown'),
    symbols: fc.subarray(['A/X', 'B/X'], { minLength: 0 }),
    bid: fc.oneof({ weight: 60, arbitrary: price }, { weight: 1, arbitrary: fc.constantFrom(30, 108, 300) }),
    aheadMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, -6_000, -2_000, 1_500),
    passMs: fc.constantFrom(0, 1, 50, 100, 400, 400, 400, 400, 1_000, 3_000, 30_000, -500),
  })
  const entries = fc.array(step, { minLength: 30, maxLength: 60 }).map((steps) => {
    let now = T
    return steps.map(({ venue, symbols, bid, aheadMs, passMs }) => {
      now += passMs
      const quotes = symbols.map((s) =>
        quoteOf(
          s,
          [
            [bid, 1],
            [bid - 0.7, 2],
          ],
          [[bid + 0.3, 1.5]],
          now + aheadMs,
        ),
      )
      return entryOf({ venue, board: 'x', simulated: venue === 's' || venue === 't', quotes }, now)
    })
  })

  it('continues after save and load at any cut as if nothing had happened', () => {
    let said = 0
    fc.assert(
      fc.property(entries, fc.nat(), (all, where) => {
        const cut = where % (all.length + 1)
        const whole = run(fold.start(), all)
        const state = fold.start()
        const before = run(state, all.slice(0, cut))
        const saved = fold.save(state)
        const after = run(fold.load(saved), all.slice(cut))
        expect([...before, ...after]).toEqual(whole)
        // Another owner that starts from the same checkpoint says the same, under the same ids.
        expect(run(fold.load(saved), all.slice(cut))).toEqual(after)
        expect(fold.save(fold.load(saved))).toBe(saved)
        said += whole.length
      }),
      { numRuns: 300 },
    )
    expect(said).toBeGreaterThan(500)
  })

  it('tells each opportunity opened once and closed at most once, never before it was opened', () => {
    fc.assert(
      fc.property(entries, (all) => {
        const open = new Set<string>()
        const ids = new Set<string>()
        for (const { id, data, time } of run(fold.start(), all)) {
          const told = data as Opportunity
          expect(ids.has(id)).toBe(false)
          ids.add(id)
          expect(time).toBeGreaterThanOrEqual(told.lastSeenAt)
          expect(told.lastSeenAt).toBeGreaterThanOrEqual(told.openedAt)
          if (told.phase === 'opened') open.add(told.id)
          else expect(open.delete(told.id)).toBe(true)
        }
      }),
    )
  })

  function run(state: ReturnType<typeof fold.start>, all: readonly Entry<QuoteMessage>[]): Outgoing[] {
    return all.flatMap((entry) => fold.apply(state, entry).events)
  }
})
