import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fill } from '../../src/catalog/index.ts'
import { decimal, decimalText, isSluiceError, ZERO } from '../../src/kernel/index.ts'
import { bookFill } from '../../src/ledger/booking.ts'
import { settle } from '../../src/ledger/settlement.ts'
import { aFill, storyOf } from './events.ts'

const textOf = (settlement: ReturnType<typeof settle>) =>
  Object.fromEntries(Object.entries(settlement).map(([name, value]) => [name, decimalText(value)]))

const fillsOf = (symbol: string) =>
  storyOf(symbol, 1).map((story) => story.map(({ data }) => data).filter((data) => data.type === 'fill'))

const fixed = (fills: readonly Partial<Fill>[]) =>
  fills.map((fill, i) => aFill({ id: `f${i}`, fee: '0', time: 1_000 + i, ...fill }))

describe('a settlement', () => {
  it('earns sold − bought − fees when as much was sold as bought', () => {
    const fills = fixed([
      { side: 'buy', quantity: '1.5', price: '100.1', fee: '0.15' },
      { side: 'sell', quantity: '0.5', price: '101', fee: '0.05' },
      { side: 'sell', quantity: '1', price: '100.9', fee: '0.1' },
    ])
    // 50.5 + 100.9 − 150.15 − 0.3
    expect(textOf(settle(fills))).toMatchObject({
      profit: '0.95',
      residualQuantity: '0',
      residualNotional: '0',
    })
  })

  it('keeps apart what was bought and not sold, and what it cost', () => {
    const fills = fixed([
      { side: 'buy', quantity: '1', price: '10' },
      { side: 'buy', quantity: '1', price: '12' },
      { side: 'sell', quantity: '1.5', price: '11' },
    ])
    // First in, first out: sold are the whole first buy and half of the second.
    expect(textOf(settle(fills))).toMatchObject({
      profit: '0.5',
      residualQuantity: '0.5',
      residualNotional: '6',
    })
  })

  it('keeps apart what was sold and not bought, and what it brought', () => {
    const fills = fixed([
      { side: 'buy', quantity: '1', price: '10' },
      { side: 'sell', quantity: '2', price: '11' },
    ])
    expect(textOf(settle(fills))).toMatchObject({
      profit: '1',
      residualQuantity: '-1',
      residualNotional: '-11',
    })
  })

  it('accounts for every unit: profit − residual notional is the cash that the fills moved', () => {
    fc.assert(
      fc.property(fillsOf('BTC/USDT'), (fills) => {
        const { profit, residualNotional, residualQuantity } = settle(fills)
        const moved = (asset: string) =>
          fills
            .flatMap((fill) => bookFill(fill).cash)
            .filter((change) => change.asset === asset)
            .reduce((sum, { change }) => sum.plus(change), ZERO)
        expect(decimalText(profit.minus(residualNotional))).toBe(decimalText(moved('USDT')))
        expect(decimalText(residualQuantity)).toBe(decimalText(moved('BTC')))
      }),
    )
  })

  it('does not depend on the order in which fills are read', () => {
    const shuffled = fillsOf('BTC/USDT').chain((fills) =>
      fc.tuple(
        fc.constant(fills),
        fc.shuffledSubarray(fills, { minLength: fills.length, maxLength: fills.length }),
      ),
    )
    fc.assert(
      fc.property(shuffled, ([fills, other]) => {
        expect(textOf(settle(other))).toEqual(textOf(settle(fills)))
      }),
    )
  })
})

describe('a fill', () => {
  it('keeps every digit of a product', () => {
    const fill = aFill({ price: '12345678.12345678', quantity: '0.00000001', fee: '0.000000000001' })
    const [, quote] = bookFill(fill).cash
    // 12345678.12345678 × 10⁻⁸ = 0.1234567812345678
    expect(decimalText(quote!.change)).toBe('-0.1234567812355678')
    expect(quote!.change.plus(decimal('0.1234567812355678')).eq(ZERO)).toBe(true)
  })

  it('with a fee in another asset than the quote is refused', () => {
    expect(() => bookFill(aFill({ feeAsset: 'BNB' }))).toThrowError(
      expect.toSatisfy((error) => isSluiceError(error, 'LEDGER_MISMATCH')),
    )
  })
})
