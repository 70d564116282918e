// Money is rounded in one place and one direction each; here is which.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ceilTo, decimal, decimalText, floorTo, ratio } from '../../src/kernel/index.ts'

/** Any decimal of up to 18 digits, below and above zero. */
const anyDecimal = fc
  .tuple(fc.bigInt(-(10n ** 18n), 10n ** 18n), fc.integer({ min: 0, max: 18 }))
  .map(([digits, places]) => decimal(`${digits}e-${places}`))
const anyStep = anyDecimal.filter((value) => value.gt(0))

describe('floorTo and ceilTo', () => {
  it('give the multiples of the step on both sides of a value, and the value itself when it is one', () => {
    fc.assert(
      fc.property(anyDecimal, anyStep, (value, step) => {
        const [below, above] = [floorTo(value, step), ceilTo(value, step)]
        expect(below.lte(value) && above.gte(value)).toBe(true)
        expect(above.minus(below).eq(below.eq(value) ? 0 : step)).toBe(true)
        expect(floorTo(below, step).eq(below) && ceilTo(above, step).eq(above)).toBe(true)
      }),
    )
  })
})

describe('ratio', () => {
  it.each([
    // A half goes to the even neighbour, and what only looks like a half does not.
    ['0.125', '1', 2, '0.12'],
    ['0.375', '1', 2, '0.38'],
    ['-0.125', '1', 2, '-0.12'],
    ['0.12500000000000000000001', '1', 2, '0.13'],
    ['1', '3', 4, '0.3333'],
    ['2', '3', 4, '0.6667'],
    ['5', '2', 0, '2'],
    ['7', '2', 0, '4'],
  ])('of %s by %s to %i places is %s', (value, by, places, result) => {
    expect(decimalText(ratio(decimal(value), decimal(by), places))).toBe(result)
  })

  it('is never further from the quotient than half of its last place, and even when exactly that far', () => {
    fc.assert(
      fc.property(anyDecimal, anyStep, fc.integer({ min: 0, max: 20 }), (value, by, places) => {
        const unit = decimal(`1e-${places}`)
        const found = ratio(value, by, places)
        const twiceOff = found.times(by).minus(value).abs().times(2)
        const limit = by.times(unit)
        expect(floorTo(found, unit).eq(found)).toBe(true)
        expect(twiceOff.lte(limit)).toBe(true)
        const isHalf = twiceOff.eq(limit)
        expect(!isHalf || floorTo(found, unit.times(2)).eq(found)).toBe(true)
      }),
    )
  })

  it('keeps its places to itself: a later division of its result is not cut to them', () => {
    const coarse = ratio(decimal(1), decimal(3), 0)
    expect(decimalText(ratio(coarse.plus(1), decimal(3), 6))).toBe('0.333333')
  })
})

describe('decimalText', () => {
  it('is one text for one number, without exponent, trailing zero or minus zero', () => {
    for (const [given, text] of [
      ['1e-7', '0.0000001'],
      ['1e21', '1000000000000000000000'],
      ['9.500', '9.5'],
      ['-0', '0'],
      ['-0.00', '0'],
    ] as const) {
      expect(decimalText(decimal(given))).toBe(text)
    }
  })
})
