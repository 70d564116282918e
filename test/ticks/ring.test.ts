import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openRing } from '../../src/ticks/ring.ts'
import type { Tick } from '../../src/ticks/tick.ts'

const tick = (symbol: string, n: number, more: Partial<Tick> = {}): Tick => ({
  symbol,
  source: 'alpha',
  time: 1_768_833_243_000 + n,
  nanos: n % 1_000_000,
  sequence: n % 3,
  bid: 1 + n / 1e5,
  ask: 1.1 + n / 1e5,
  bidSize: n % 2 ? n : undefined,
  askSize: undefined,
  volume: n,
  flags: n % 2,
  broker: '',
  ...more,
})

const numbered = (symbol: string, count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => tick(symbol, from + n))

describe('the ring', () => {
  it('gives back the newest of a symbol, oldest first, with everything that they had', () => {
    const ring = openRing()
    const ticks = numbered('EURUSD', 1_000).map((one, n) => ({
      ...one,
      source: `source ${n % 3}`,
      broker: `broker ${n % 2}`,
      flags: 2 ** 32 - 1 - n,
      bidSize: 0,
    }))
    for (const one of ticks) ring.push(one)
    expect(ring.recent('EURUSD', 1_000)).toEqual(ticks)
    expect(ring.recent('EURUSD', 129)).toEqual(ticks.slice(-129))
    expect(ring.recent('EURUSD', 100)).toEqual(ticks.slice(-100))
    expect(ring.latest('EURUSD')).toEqual(ticks.at(-1))
  })

  it('knows nothing of other symbols and gives no more than it has', () => {
    const ring = openRing()
    ring.push(tick('EURUSD', 1))
    expect(ring.recent('GBPUSD', 5)).toEqual([])
    expect(ring.latest('GBPUSD')).toBeUndefined()
    expect(ring.recent('EURUSD', 5)).toHaveLength(1)
    expect(ring.recent('EURUSD', 0)).toEqual([])
    expect(ring.recent('EURUSD', -1)).toEqual([])
  })

  it('equals a list that forgets at its front, for any sizes and any order of symbols', () => {
    const pushes = fc.array(fc.constantFrom('A', 'B', 'C', 'D'), { maxLength: 600 })
    fc.assert(
      fc.property(
        pushes,
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 4 }),
        (order, perSymbol, symbolsMax) => {
          const ring = openRing({ perSymbol, symbolsMax })
          const lists = new Map<string, Tick[]>()
          order.forEach((symbol, n) => {
            const list = lists.get(symbol) ?? []
            lists.delete(symbol)
            if (lists.size >= symbolsMax) lists.delete([...lists.keys()][0]!)
            lists.set(symbol, [...list, tick(symbol, n)].slice(-perSymbol))
            ring.push(tick(symbol, n))
          })
          expect(ring.symbols().sort()).toEqual([...lists.keys()].sort())
          for (const [symbol, list] of lists) {
            expect(ring.held(symbol)).toBe(list.length)
            for (const count of [1, 7, 64, 128, 200, 999]) {
              expect(ring.recent(symbol, count)).toEqual(list.slice(-count))
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('forgets the symbol that was silent for longest when there are too many', () => {
    const ring = openRing({ symbolsMax: 2 })
    for (const symbol of ['A', 'B', 'A', 'C']) ring.push(tick(symbol, 1))
    expect(ring.symbols().sort()).toEqual(['A', 'C'])
    expect(ring.held('A')).toBe(2)
    expect(ring.recent('B', 1)).toEqual([])
  })
})
