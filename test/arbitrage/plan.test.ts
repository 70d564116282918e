// Properties of a plan: whatever the opportunity, the limits and the inventory are.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { commonLot } from '../../src/arbitrage/common-lot.ts'
import { type PlanTerms, planExecution } from '../../src/arbitrage/plan.ts'
import { decimal, floorTo } from '../../src/kernel/index.ts'
import type { Instrument } from '../../src/venues/index.ts'
import { btc, opportunityOf } from './execution-story.ts'

const step = fc.constantFrom('1', '0.5', '0.1', '0.05', '0.03', '0.025', '0.01', '0.001', '0.00001')
const amount = fc.integer({ min: 0, max: 10 ** 14 }).map((n) => decimal(`${n}e-8`))
const instrument: fc.Arbitrary<Instrument> = fc
  .record({
    tick: step,
    lot: step,
    minQuantity: fc.constantFrom(0, 0.001, 1),
    minNotional: fc.constantFrom(0, 10),
  })
  .map(({ tick, lot, minQuantity, minNotional }) => ({
    ...btc,
    tick: decimal(tick),
    lot: decimal(lot),
    minQuantity: decimal(minQuantity),
    minNotional: decimal(minNotional),
  }))
const fee = fc.constantFrom(0, 1, 5, 7.5, 10, 20)
const price = fc.integer({ min: 1, max: 10 ** 9 }).map((n) => n / 9_999)

const given = fc.record({
  buy: fc.record({ instrument, takerFeeBps: fee }),
  sell: fc.record({ instrument, takerFeeBps: fee }),
  maxNotional: amount,
  quoteAvailable: amount,
  baseAvailable: amount,
  buyLimit: price,
  margin: fc.integer({ min: 9_900, max: 11_000 }).map((n) => n / 10_000),
  quantity: fc.integer({ min: 0, max: 10 ** 9 }).map((n) => n / 99_999),
})

/** Checks every plan that is made; refusals are of no interest here. */
function everyPlan(
  check: (
    plan: Extract<ReturnType<typeof planExecution>, { plan: unknown }>['plan'],
    terms: PlanTerms,
    seen: ReturnType<typeof opportunityOf>,
  ) => void,
) {
  let plans = 0
  fc.assert(
    fc.property(given, ({ buyLimit, margin, quantity, ...terms }) => {
      const sellLimit = buyLimit * margin
      const seen = { ...opportunityOf('p', 'a', 'b'), buyLimit, sellLimit, sellPrice: sellLimit, quantity }
      const result = planExecution(seen, terms)
      if ('denial' in result) return
      plans++
      check(result.plan, terms, seen)
    }),
    { numRuns: 2_000 },
  )
  expect(plans).toBeGreaterThan(100)
}

const factor = (feeBps: number) => decimal(feeBps).times('0.0001')

describe('a plan', () => {
  it('never takes more than the inventory, the fee included', () => {
    everyPlan(({ quantity, buyLimit }, { buy, quoteAvailable, baseAvailable }) => {
      const notional = quantity.times(buyLimit)
      const cost = notional.plus(notional.times(factor(buy.takerFeeBps)))
      expect(cost.lte(quoteAvailable)).toBe(true)
      expect(quantity.lte(baseAvailable)).toBe(true)
    })
  })

  it('reserves exactly what its legs can take', () => {
    everyPlan(({ quantity, buyLimit, quoteNeeded, baseNeeded }, { buy }) => {
      const notional = quantity.times(buyLimit)
      expect(quoteNeeded.eq(notional.plus(notional.times(factor(buy.takerFeeBps))))).toBe(true)
      expect(baseNeeded.eq(quantity)).toBe(true)
    })
  })

  it('stays below the cap and below what was swept', () => {
    everyPlan(({ quantity, buyLimit, sellLimit }, { maxNotional }, seen) => {
      expect(quantity.times(buyLimit).lte(maxNotional)).toBe(true)
      expect(quantity.times(sellLimit).lte(maxNotional)).toBe(true)
      expect(quantity.lte(decimal(seen.quantity))).toBe(true)
    })
  })

  it('stands on the grids of both venues', () => {
    everyPlan(({ quantity, buyLimit, sellLimit }, { buy, sell }) => {
      for (const { lot } of [buy.instrument, sell.instrument])
        expect(floorTo(quantity, lot).eq(quantity)).toBe(true)
      expect(floorTo(buyLimit, buy.instrument.tick).eq(buyLimit)).toBe(true)
      expect(floorTo(sellLimit, sell.instrument.tick).eq(sellLimit)).toBe(true)
    })
  })

  it('is never worse than the sweep', () => {
    everyPlan(({ buyLimit, sellLimit }, _, seen) => {
      expect(buyLimit.lte(decimal(seen.buyLimit))).toBe(true)
      expect(sellLimit.gte(decimal(seen.sellLimit))).toBe(true)
    })
  })

  it('meets the minimums of both venues', () => {
    everyPlan(({ quantity, buyLimit, sellLimit }, { buy, sell }) => {
      expect(quantity.gt(0)).toBe(true)
      expect(quantity.gte(buy.instrument.minQuantity)).toBe(true)
      expect(quantity.gte(sell.instrument.minQuantity)).toBe(true)
      expect(quantity.times(buyLimit).gte(buy.instrument.minNotional)).toBe(true)
      expect(quantity.times(sellLimit).gte(sell.instrument.minNotional)).toBe(true)
    })
  })

  it('earns at its limits exactly what it says, and more than nothing', () => {
    everyPlan(({ quantity, buyLimit, sellLimit, worstProfit }, { buy, sell }) => {
      const [paid, got] = [quantity.times(buyLimit), quantity.times(sellLimit)]
      const fees = paid.times(factor(buy.takerFeeBps)).plus(got.times(factor(sell.takerFeeBps)))
      expect(worstProfit.eq(got.minus(paid).minus(fees))).toBe(true)
      expect(worstProfit.gt(0)).toBe(true)
    })
  })
})

describe('the common lot', () => {
  it('is a multiple of both lots, and no smaller step is', () => {
    const lots = fc.bigInt(1n, 3_000n).map((n) => decimal(`${n}e-4`))
    fc.assert(
      fc.property(lots, lots, (a, b) => {
        const both = commonLot(a, b)
        expect(floorTo(both, a).eq(both) && floorTo(both, b).eq(both)).toBe(true)
        for (let n = decimal(a); n.lt(both); n = n.plus(a)) expect(floorTo(n, b).eq(n)).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  it('of 0.03 and 0.025 is 0.15', () => {
    expect(commonLot(decimal('0.03'), decimal('0.025')).toFixed()).toBe('0.15')
  })
})
