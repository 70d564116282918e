// A block gives back every tick bit by bit, and what is no block is refused.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBlock, encodeBlock } from '../../src/ticks/block.ts'
import { BLOCK_TICKS_MAX } from '../../src/ticks/columns.ts'
import { putVarint, takeVarints, unzigzag, zigzag } from '../../src/ticks/varint.ts'
import { anyRows, columnsOf, price, type Row, row, rowsOf } from './block-columns.ts'

/** A feed in pips: half a second between ticks, prices that walk, a spread of a few. */
const feed = (count: number): Row[] =>
  Array.from({ length: count }, (_, i) => {
    const pips = 116_340 + Math.round(30 * Math.sin(i / 50) + 3 * Math.sin(i * i))
    return row({
      time: i * 500_000_000 + Math.floor(200_000 * (1 + Math.sin(i * i * i))) * 1_000,
      bid: pips / 100_000,
      ask: (pips + 2 + (i % 3)) / 100_000,
    })
  })

const decoded = (rows: readonly Row[], compress: boolean): Row[] =>
  rowsOf(decodeBlock(encodeBlock(columnsOf(rows), 0, rows.length, compress)))

describe('a block', () => {
  it.each([false, true])('gives back any ticks bit by bit (compressed: %s)', (compress) => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        expect(decoded(rows, compress)).toStrictEqual(rows)
      }),
    )
  })

  it('gives back any column of one kind of value', () => {
    const column = fc.array(price, { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(column, column, (bids, asks) => {
        const rows = bids.map((bid, i) => row({ time: i, bid, ask: asks[i % asks.length]!, volume: bid }))
        expect(decoded(rows, false)).toStrictEqual(rows)
      }),
    )
  })

  it('holds as many ticks as it may, and a part of longer columns', () => {
    const rows = feed(3 * BLOCK_TICKS_MAX)
    const columns = columnsOf(rows)
    const [from, to] = [BLOCK_TICKS_MAX, 2 * BLOCK_TICKS_MAX]
    const block = decodeBlock(encodeBlock(columns, from, to, true))
    expect(rowsOf(block)).toStrictEqual(rows.slice(from, to))
  })

  it('refuses ticks that are not in order, which it could not give back', () => {
    const rows = [row({ time: 5 }), row({ time: 4 })]
    expect(() => encodeBlock(columnsOf(rows), 0, 2, false)).toThrow('not in order')
  })

  it('names only the brokers that occur in it', () => {
    const rows = ['a', 'b', 'c', 'b'].map((broker, time) => row({ time, broker }))
    const block = decodeBlock(encodeBlock(columnsOf(rows), 1, 4, false))
    expect(block.brokers).toEqual(['b', 'c'])
    expect(rowsOf(block)).toStrictEqual(rows.slice(1))
  })

  it('takes at most 4.5 bytes for a tick of a feed in an archive, and 8 for one without digits', () => {
    const rows = feed(BLOCK_TICKS_MAX)
    const bytes = (some: Row[]) => encodeBlock(columnsOf(some), 0, some.length, true).length / some.length
    expect(bytes(rows)).toBeLessThan(4.5)
    expect(bytes(rows.map((one, i) => ({ ...one, time: i, bid: one.bid / 3, ask: 1 })))).toBeLessThan(8.5)
  })

  it('that is cut off or changed gives ticks or TICKS_DAMAGED, and always comes to an end', () => {
    const [plain, small] = [false, true].map((compress) =>
      encodeBlock(columnsOf(feed(200)), 0, 200, compress),
    )
    const damage = fc.record({
      of: fc.constantFrom(plain!, small!),
      at: fc.nat(),
      value: fc.nat(255),
      isCut: fc.boolean(),
    })
    let refused = 0
    fc.assert(
      fc.property(damage, ({ of, at, value, isCut }) => {
        const place = at % of.length
        const bytes = isCut ? of.slice(0, place) : of.with(place, value)
        try {
          expect(decodeBlock(bytes).count).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toMatchObject({ code: 'TICKS_DAMAGED' })
          refused++
        }
      }),
      { numRuns: 500 },
    )
    expect(refused).toBeGreaterThan(100)
  })
})

describe('a varint', () => {
  it('gives back whole numbers to 2^53', () => {
    const edges = [0, 1, 127, 128, 2 ** 14, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1]
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.maxSafeNat(), fc.constantFrom(...edges), fc.nat(300))), (values) => {
        const bytes = new Uint8Array(8 * values.length)
        const end = values.reduce((at, value) => putVarint(bytes, at, value), 0)
        const out = new Float64Array(values.length)
        expect(takeVarints(bytes, 0, end, out, values.length)).toBe(end)
        expect([...out]).toEqual(values)
      }),
    )
  })

  it('is small for small numbers of either sign', () => {
    expect([0, -1, 1, -2, 2].map(zigzag)).toEqual([0, 1, 2, 3, 4])
    const small = fc.integer({ min: -(2 ** 52), max: 2 ** 52 }).map((value) => value + 0)
    fc.assert(
      fc.property(small, (value) => {
        expect(unzigzag(zigzag(value))).toBe(value)
      }),
    )
  })
})
