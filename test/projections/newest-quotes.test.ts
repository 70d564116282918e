// The newest quotes are looked up by symbol and by venue: what one symbol costs does not grow with the others.
import { describe, expect, it } from 'vitest'
import { microsOf, openNewestQuotes } from '../../src/projections/newest-quotes.ts'
import { quoteKeys } from '../../src/projections/quote-keys.ts'
import type { Tick } from '../../src/ticks/index.ts'

const T = Date.UTC(2026, 0, 19, 12)
const tickOf = (symbol: string, source: string, time = T): Tick => ({
  ...{ symbol, source, time, nanos: 0, sequence: 0, bid: 100, ask: 101, bidSize: 1, askSize: 1 },
  ...{ volume: 0, flags: 0, broker: '' },
})
const one = (tick: Tick) => ({ tick, quote: undefined })

/** How often the fields of ticks are read to tell one change of so many series. */
function readsAt(series: number): number {
  let reads = 0
  const counted = (tick: Tick) =>
    new Proxy(tick, {
      get(of, name: keyof Tick) {
        reads++
        return of[name]
      },
    })
  const state = openNewestQuotes()
  for (let i = 0; i < series; i++) state.take(one(counted(tickOf(`S${i}/USDT`, 'alpha'))))
  const changed = state.all().slice(0, 1)
  reads = 0
  quoteKeys(changed, state, new Set(['nof0', 'ticks'] as const))
  return reads
}

describe('the newest quotes', () => {
  it('of twice as many series cost twice as much, not four times', () => {
    const [few, many] = [readsAt(200), readsAt(400)]
    expect(many).toBeLessThan(2.2 * few)
  })

  it('know by symbol and by venue what they know of all, also after the silent ones are forgotten', () => {
    const state = openNewestQuotes()
    expect(state.take(one(tickOf('OLD/USDT', 'old')))).toBe(true)
    for (let i = 0; i < 4_096; i++) state.take(one(tickOf(`S${i}/USDT`, i % 2 === 0 ? 'alpha' : 'beta')))
    expect(state.all()).toHaveLength(4_096)
    expect(state.symbols()).toHaveLength(4_096)
    expect(state.symbols()).not.toContain('OLD/USDT')
    expect([state.atVenue('old'), state.primaryOf('OLD/USDT')]).toEqual([[], undefined])
    expect(state.atVenue('alpha')).toHaveLength(2_048)
    expect(state.take(one(tickOf('S1/USDT', 'beta', T - 1)))).toBe(false)
    // A series that is quoted again is none of the silent ones.
    expect(state.take(one(tickOf('S0/USDT', 'alpha', T + 1)))).toBe(true)
    state.take(one(tickOf('NEW/USDT', 'alpha')))
    expect(state.symbols()).toContain('S0/USDT')
    expect(state.symbols()).not.toContain('S1/USDT')
  })

  it('of a symbol are those of the first venue that was quoted lately, as new as the newest of any', () => {
    const state = openNewestQuotes()
    const newest = tickOf('BTC/USDT', 'beta', T)
    for (const tick of [
      newest,
      tickOf('BTC/USDT', 'alpha', T - 9_000),
      tickOf('BTC/USDT', 'aaa', T - 11_000),
    ]) {
      state.take(one(tick))
    }
    expect(state.primaryOf('BTC/USDT')).toMatchObject({ tick: { source: 'alpha' }, newest: microsOf(newest) })
  })
})
