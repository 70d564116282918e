import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buyFactor, edgeOf, sellFactor } from '../../src/arbitrage/fees.ts'
import { type Sweep, sweep } from '../../src/arbitrage/sweep.ts'
import type { Level } from '../../src/catalog/index.ts'

const sizes = fc.integer({ min: 1, max: 50 })
/** Levels on an integer grid, so that sums are exact and the naive answer can be compared exactly. */
const side = (direction: 1 | -1, from: number) =>
  fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), sizes), { maxLength: 12 }).map((steps) => {
    let price = from
    return steps.map(([step, size]): Level => {
      price += direction * step
      return [price, size]
    })
  })
const book = fc.tuple(side(1, 990), side(-1, 1_010))

/** Unit by unit: the obvious way, slow. */
function unitByUnit(
  asks: readonly Level[],
  bids: readonly Level[],
  buy: number,
  sell: number,
  levels: number,
) {
  const units = (levelsOf: readonly Level[]) =>
    levelsOf.slice(0, levels).flatMap(([price, size]) => Array.from({ length: size }, () => price))
  const [asked, bidden] = [units(asks), units(bids)]
  let [quantity, profit] = [0, 0]
  for (let i = 0; i < Math.min(asked.length, bidden.length); i += 1) {
    const earned = bidden[i]! * sell - asked[i]! * buy
    if (earned <= 0) break
    quantity += 1
    profit += earned
  }
  return { quantity, profit }
}

const rules = (feeBps: number, maxLevels = 200, minEdge = 0) => ({
  buyFactor: buyFactor(feeBps),
  sellFactor: sellFactor(feeBps),
  minEdge,
  maxLevels,
})

describe('sweep', () => {
  it('finds the quantity and profit that matching unit by unit finds', () => {
    fc.assert(
      fc.property(
        book,
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 8 }),
        ([asks, bids], fee, n) => {
          const found = sweep(asks, bids, rules(fee, n))
          const naive = unitByUnit(asks, bids, buyFactor(fee), sellFactor(fee), n)
          expect(found.quantity).toBe(naive.quantity)
          expect(found.profit).toBeCloseTo(naive.profit, 6)
        },
      ),
    )
  })

  it('names as limits the worst prices that took part, and they still earn', () => {
    fc.assert(
      fc.property(book, fc.integer({ min: 0, max: 30 }), ([asks, bids], fee) => {
        const { quantity, buyLimit, sellLimit }: Sweep = sweep(asks, bids, rules(fee))
        if (quantity === 0) {
          expect(buyLimit).toBeNaN()
          return
        }
        expect(edgeOf(sellLimit, buyLimit, sellFactor(fee), buyFactor(fee))).toBeGreaterThan(0)
        const within = (levels: readonly Level[], ok: (price: number) => boolean) =>
          levels.filter(([price]) => ok(price)).reduce((sum, [, size]) => sum + size, 0)
        expect(within(asks, (p) => p <= buyLimit)).toBeGreaterThanOrEqual(quantity)
        expect(within(bids, (p) => p >= sellLimit)).toBeGreaterThanOrEqual(quantity)
      }),
    )
  })

  it('stops at the level whose margin is not above the minimum', () => {
    const asks: Level[] = [
      [100, 1],
      [101, 1],
    ]
    const bids: Level[] = [
      [103, 1],
      [102, 5],
    ]
    expect(sweep(asks, bids, rules(0, 200, 0.02))).toEqual({
      quantity: 1,
      profit: 3,
      buyLimit: 100,
      sellLimit: 103,
    })
    expect(sweep(asks, bids, rules(0))).toEqual({ quantity: 2, profit: 4, buyLimit: 101, sellLimit: 102 })
  })

  it('finds nothing in an empty or uncrossed book', () => {
    expect(sweep([], [[1, 1]], rules(0)).quantity).toBe(0)
    expect(sweep([[100, 1]], [[100, 1]], rules(0)).quantity).toBe(0)
    expect(sweep([[100, 1]], [[100.1, 1]], rules(10)).quantity).toBe(0)
  })
})
