import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Level } from '../../src/catalog/index.ts'
import { symbolOfCode } from '../../src/venues/recordings/binance-frame.ts'
import { openDepthBook } from '../../src/venues/recordings/depth-book.ts'

const difference = (
  firstId: number,
  lastId: number,
  bids: Level[],
  asks: Level[] = [],
  previousId?: number,
) => ({
  firstId,
  lastId,
  previousId,
  bids,
  asks,
})

describe('a book kept from differences', () => {
  it('equals the map of its levels, best first, whatever came', () => {
    const level = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 3 }))
    fc.assert(
      fc.property(fc.array(fc.array(level, { maxLength: 6 }), { maxLength: 30 }), (updates) => {
        const book = openDepthBook()
        const model = new Map<number, number>([[20, 1]])
        book.snapshot(0, [[20, 1]], [])
        for (const [i, levels] of updates.entries()) {
          for (const [price, size] of levels) size === 0 ? model.delete(price) : model.set(price, size)
          expect(book.apply(difference(i + 1, i + 1, levels))).toBeUndefined()
        }
        const expected = [...model].sort((a, b) => b[0] - a[0])
        expect(book.top(100)).toEqual({ bids: expected, asks: [] })
      }),
    )
  })

  it('applies what waited for the snapshot, and drops what the snapshot holds already', () => {
    const book = openDepthBook()
    book.apply(difference(5, 8, [[10, 1]]))
    book.apply(difference(9, 12, [[11, 1]]))
    expect(book.top(5)).toBeUndefined()
    book.snapshot(10, [[10, 7]], [])
    expect(book.top(5)?.bids).toEqual([
      [11, 1],
      [10, 7],
    ])
  })

  it('is unknown after a missing difference until the next snapshot', () => {
    for (const previous of [undefined, 13]) {
      const book = openDepthBook()
      book.snapshot(10, [[10, 7]], [])
      expect(book.apply(difference(11, 12, [[9, 1]], [], previous && 10))).toBeUndefined()
      expect(book.apply(difference(14, 15, [[8, 1]], [], previous))).toMatch(/missing after update 12/)
      expect(book.top(5)).toBeUndefined()
      expect(book.apply(difference(16, 17, [[7, 1]], [], previous && 15))).toBeUndefined()
      book.snapshot(15, [[8, 1]], [])
      expect(book.top(5)?.bids).toEqual([
        [8, 1],
        [7, 1],
      ])
    }
  })

  it('puts a newer ticker on top and lets a newer difference take it off', () => {
    const book = openDepthBook()
    book.snapshot(
      10,
      [
        [10, 7],
        [9, 1],
      ],
      [
        [11, 1],
        [12, 1],
      ],
    )
    book.ticker({ id: 11, bid: [9.5, 2], ask: [10.5, 3] })
    expect(book.top(5)).toEqual({
      bids: [
        [9.5, 2],
        [9, 1],
      ],
      asks: [
        [10.5, 3],
        [11, 1],
        [12, 1],
      ],
    })
    book.ticker({ id: 9, bid: [1, 1], ask: [2, 1] })
    expect(book.top(1)).toEqual({ bids: [[9.5, 2]], asks: [[10.5, 3]] })
    book.apply(difference(11, 12, [[10, 0]]))
    expect(book.top(1)).toEqual({ bids: [[9, 1]], asks: [[11, 1]] })
  })
})

describe('a symbol of Binance', () => {
  it('is split into base and quote; only a perpetual loses its suffix', () => {
    const codes = ['BTCUSDT', 'BTCUSD_PERP', 'ETHBTC', 'BTCUSD_240927', 'USDT', 'XYZ']
    expect(codes.map(symbolOfCode)).toEqual([
      'BTC/USDT',
      'BTC/USD',
      'ETH/BTC',
      'BTC/USD240927',
      undefined,
      undefined,
    ])
  })
})
