import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Decimal, decimal, decimalText, isSluiceError, ZERO } from '../../src/kernel/index.ts'
import { checkOrder, fillFromBook, type Taking } from '../../src/venues/index.ts'
import { instrumentOf } from '../../src/venues/instruments.ts'

const instrument = instrumentOf('BTC/USDT', { tick: '0.01', lot: '0.001', minNotional: '5' })
const terms = { instrument, takerFeeBps: 4, time: 1_000 }

const cents = fc.integer({ min: 1, max: 5_000_000 })
const book = fc
  .tuple(
    fc.uniqueArray(cents, { minLength: 0, maxLength: 12 }),
    fc.array(fc.integer({ min: 1, max: 900_000 }), { minLength: 12, maxLength: 12 }),
  )
  .map(([prices, sizes]) => {
    const rising = prices
      .sort((a, b) => a - b)
      .map((p, i) => [p / 100, sizes[i]! / 10_000] as [number, number])
    const middle = Math.floor(rising.length / 2)
    return { bids: rising.slice(0, middle).reverse(), asks: rising.slice(middle) }
  })
const order: fc.Arbitrary<Taking> = fc.record({
  side: fc.constantFrom('buy', 'sell'),
  quantity: fc.integer({ min: 1, max: 200_000 }).map((n) => decimal(n).times('0.001')),
  limitPrice: fc.option(
    cents.map((n) => decimal(n).times('0.01')),
    { nil: undefined },
  ),
})
const sum = (values: readonly Decimal[]) => values.reduce((a, b) => a.plus(b), ZERO)

describe('filling an order from a book', () => {
  it('never fills better than the book, never beyond the limit, and never more than was asked or offered', () => {
    fc.assert(
      fc.property(order, book, (taking, sides) => {
        const { fills, status, reason } = fillFromBook(taking, sides, terms)
        const levels = taking.side === 'buy' ? sides.asks : sides.bids
        let at = -1
        for (const fill of fills) {
          const next = levels.findIndex(([p], i) => i > at && fill.price.eq(p))
          expect(next).toBeGreaterThan(at)
          at = next
          expect(fill.quantity.lte(decimal(levels[next]![1]))).toBe(true)
          expect(fill.quantity.gt(0)).toBe(true)
          const limit = taking.limitPrice
          if (limit) expect(taking.side === 'buy' ? fill.price.lte(limit) : fill.price.gte(limit)).toBe(true)
        }
        const filled = sum(fills.map((f) => f.quantity))
        expect(filled.lte(taking.quantity)).toBe(true)
        expect(status === 'filled').toBe(filled.eq(taking.quantity))
        expect(status === 'rejected').toBe(fills.length === 0)
        expect(reason === undefined).toBe(status === 'filled')
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes exactly price × quantity × bps / 10,000 as the fee, with no digit rounded away', () => {
    fc.assert(
      fc.property(order, book, fc.integer({ min: 0, max: 10_000 }), (taking, sides, hundredthsBps) => {
        const { fills } = fillFromBook(taking, sides, { ...terms, takerFeeBps: hundredthsBps / 100 })
        for (const { price, quantity, fee } of fills) {
          // Independent of the code: integers in units of 1e-2 × 1e-3 × 1e-6.
          const units = BigInt(price.times(100).toFixed()) * BigInt(quantity.times(1_000).toFixed())
          expect(fee.times('1e11').toFixed()).toBe(String(units * BigInt(hundredthsBps)))
        }
      }),
    )
  })

  it('uses a level only as far as whole lots go', () => {
    const sides = {
      bids: [],
      asks: [
        [10, 0.0019],
        [11, 0.0009],
        [12, 1],
      ] as [number, number][],
    }
    const result = fillFromBook(
      { side: 'buy', quantity: decimal('0.003'), limitPrice: undefined },
      sides,
      terms,
    )
    expect(result.fills.map((f) => [f.price.toFixed(), decimalText(f.quantity)])).toEqual([
      ['10', '0.001'],
      ['12', '0.002'],
    ])
  })

  it('names why nothing or not all was filled', () => {
    const sides = {
      bids: [[9, 1]] as [number, number][],
      asks: [
        [10, 1],
        [11, 1],
      ] as [number, number][],
    }
    const buy = (quantity: string, limit?: string) =>
      fillFromBook(
        {
          side: 'buy',
          quantity: decimal(quantity),
          limitPrice: limit === undefined ? undefined : decimal(limit),
        },
        sides,
        terms,
      )
    expect(buy('3')).toMatchObject({ status: 'partial', reason: 'no_liquidity' })
    expect(buy('2', '10.5')).toMatchObject({ status: 'partial', reason: 'limit' })
    expect(buy('1', '9.99')).toMatchObject({ status: 'rejected', reason: 'limit', fills: [] })
    expect(
      fillFromBook(
        { side: 'buy', quantity: decimal(1), limitPrice: undefined },
        { bids: [], asks: [] },
        terms,
      ),
    ).toMatchObject({ status: 'rejected', reason: 'no_liquidity' })
  })
})

describe('checking an order', () => {
  const limitOf = (taking: Taking) => {
    try {
      checkOrder(taking, instrument)
      return undefined
    } catch (error) {
      const { limit } = isSluiceError(error, 'ORDER_INVALID') ? error.facts : {}
      if (limit !== undefined) return limit
      throw error
    }
  }
  const taking = (quantity: string, limitPrice?: string): Taking => ({
    side: 'buy',
    quantity: decimal(quantity),
    limitPrice: limitPrice === undefined ? undefined : decimal(limitPrice),
  })

  it('names the limit that is broken', () => {
    expect(limitOf(taking('0.0015', '10000'))).toBe('lot')
    expect(limitOf(taking('0', '10000'))).toBe('min_quantity')
    expect(limitOf(taking('-1', '10000'))).toBe('min_quantity')
    expect(limitOf(taking('1', '10.001'))).toBe('tick')
    expect(limitOf(taking('1', '0'))).toBe('tick')
    expect(limitOf(taking('0.001', '4999.99'))).toBe('min_notional')
    expect(limitOf(taking('0.001', '5000'))).toBeUndefined()
    expect(limitOf(taking('0.001'))).toBeUndefined()
  })
})
