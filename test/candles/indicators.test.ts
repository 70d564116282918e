import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Indicators } from '../../src/candles/candle.ts'
import { formatMoney, formatPercent, formatPrice } from '../../src/candles/format-number.ts'
import { formatTime, parseTime } from '../../src/candles/format-time.ts'
import { indicatorsAt, LOOK_BACK } from '../../src/candles/indicators.ts'
import { recording } from '../support/recordings.ts'
import { readEnhanced } from './enhanced-file.ts'

/** As the columns of the files, in their order. */
const printed = (of: Indicators): string[] => {
  const text = (value: number | undefined, format: (value: number) => string) =>
    value === undefined ? '' : format(value)
  return [
    ...[of.ma10, of.ma20, of.ma50, of.ma100, of.ma200].map((value) => text(value, formatPrice)),
    ...[of.ma10Score, of.ma20Score, of.ma50Score, of.ma100Score, of.ma200Score].map((value) =>
      text(value, formatPercent),
    ),
    text(of.closeChanged, formatPercent),
    text(of.volumeChanged, formatPercent),
    text(of.totalMoneyChanged, formatMoney),
  ]
}

const columns = (close: readonly number[], volume: readonly number[] = close.map(() => 1)) => ({
  close: Float64Array.from(close),
  volume: Float64Array.from(volume),
})

const FILES = [
  { name: 'candles/enhanced/VIC-1D.csv', interval: '1D', rows: 2_736, conflict: 7 },
  { name: 'candles/enhanced/VIC-1h.csv', interval: '1h', rows: 2_499, conflict: 13 },
] as const

describe('the 13 columns', () => {
  it.skipIf(!recording('candles/enhanced')).each(FILES)(
    'equal every printed one of $name outside of its conflict',
    ({ name, interval, rows: expected, conflict: inConflict }) => {
      const { rows, conflict } = readEnhanced(recording(name)!, interval)
      expect({ rows: rows.length, conflict: conflict.length }).toEqual({
        rows: expected,
        conflict: inConflict,
      })
      const all = columns(
        rows.map(({ bar }) => bar.close),
        rows.map(({ bar }) => bar.volume),
      )
      const wrong = rows.filter((row, i) => printed(indicatorsAt(all, i)).join() !== row.printed.join())
      expect(wrong).toEqual([])
      // A close that is 0.01 off is seen.
      all.close[1_000]! += 0.01
      expect(
        rows.filter((row, i) => printed(indicatorsAt(all, i)).join() !== row.printed.join()),
      ).not.toEqual([])
    },
  )

  it('are the same wherever a computation begins, as long as it has the 200 closes', () => {
    const prices = fc.array(fc.double({ min: 0.0001, max: 1e6, noNaN: true }), {
      minLength: LOOK_BACK,
      maxLength: 3 * LOOK_BACK,
    })
    fc.assert(
      fc.property(prices, fc.nat(), (closes, seed) => {
        const i = LOOK_BACK - 1 + (seed % (closes.length - LOOK_BACK + 1))
        const whole = indicatorsAt(columns(closes), i)
        const late = indicatorsAt(columns(closes.slice(i + 1 - LOOK_BACK, i + 1)), LOOK_BACK - 1)
        expect(late).toEqual(whole)
      }),
      { numRuns: 50 },
    )
  })

  it('are absent where there are too few bars, or nothing to compare with', () => {
    expect(indicatorsAt(columns([5]), 0)).toEqual(
      Object.fromEntries(Object.keys(indicatorsAt(columns([5]), 0)).map((name) => [name, undefined])),
    )
    const nine = indicatorsAt(columns([1, 2, 3, 4, 5, 6, 7, 8, 9]), 8)
    expect(nine).toMatchObject({ ma10: undefined, ma10Score: undefined, closeChanged: 12.5 })
    expect(indicatorsAt(columns([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), 9).ma10).toBe(5.5)
    expect(indicatorsAt(columns([0, 3], [0, 7]), 1)).toMatchObject({
      ...{ closeChanged: undefined, volumeChanged: undefined, totalMoneyChanged: 21 },
    })
    // All closes 0: there is a mean and no score.
    expect(indicatorsAt(columns(Array(10).fill(0)), 9)).toMatchObject({ ma10: 0, ma10Score: undefined })
  })

  it('are absent where a float64 cannot hold them, and never minus zero', () => {
    expect(indicatorsAt(columns(Array(10).fill(1.7e308)), 9).ma10).toBeUndefined()
    expect(Object.is(indicatorsAt(columns([-1, -1]), 1).closeChanged, 0)).toBe(true)
  })
})

describe('numbers as the reference prints them', () => {
  it.each([
    [23156.625, '23156.62'],
    [23156.635, '23156.63'],
    [23156.375, '23156.38'],
    [0.125, '0.1250'],
    [1.005, '1.00'],
    [2.5, '2.50'],
    [-23156.625, '-23156.62'],
    [-23156.375, '-23156.38'],
    [0.00125, '0.001250'],
    [0.000012345, '0.00001234'],
    [0, '0.00000000'],
    [1e21, '1000000000000000000000.00'],
  ])('prints the price %d as %s', (price, text) => {
    expect(formatPrice(price)).toBe(text)
  })

  it.each([
    [0.5, '0'],
    [1.5, '2'],
    [2.5, '2'],
    [-433270472.5, '-433270472'],
    [650707312.5, '650707312'],
    [650707313.5, '650707314'],
  ])('prints the money %d as %s', (money, text) => {
    expect(formatMoney(money)).toBe(text)
  })

  it('rounds as exact arithmetic does, half to even', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), fc.boolean(), (value, halve) => {
        // Every second one is on a grid where halves are common.
        const given = halve ? Math.round(value * 32) / 32 : value
        expect(formatPercent(given)).toBe(exactly(given, 4))
      }),
    )
  })
})

/** With integers: a float64 is a whole number of 2^-1074. */
function exactly(value: number, digits: number): string {
  const scaled = BigInt(10) ** BigInt(digits)
  let [numerator, denominator] = [Math.abs(value), 1n]
  while (!Number.isInteger(numerator)) [numerator, denominator] = [numerator * 2, denominator * 2n]
  const doubled = BigInt(numerator) * scaled * 2n
  const floor = doubled / (denominator * 2n)
  const rest = doubled % (denominator * 2n)
  const up = rest > denominator || (rest === denominator && floor % 2n === 1n)
  const text = String(floor + (up ? 1n : 0n)).padStart(digits + 1, '0')
  return `${value < 0 ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

describe('times of candles', () => {
  it.each([
    ['2025-08-25', '2025-08-25T00:00:00.000Z'],
    ['2025-08-01 02:15:00', '2025-08-01T02:15:00.000Z'],
    ['2023-09-11T04:00:00', '2023-09-11T04:00:00.000Z'],
    ['2023-09-11T04:00', '2023-09-11T04:00:00.000Z'],
    ['2023-09-11T04:00:00Z', '2023-09-11T04:00:00.000Z'],
    ['2023-09-11T04:00:00.57+07:00', '2023-09-10T21:00:00.570Z'],
    ['2023-09-11T04:00:00-0530', '2023-09-11T09:30:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ])('reads %s', (text, iso) => {
    expect(new Date(parseTime(text)!).toISOString()).toBe(iso)
  })

  it.each([
    '',
    '2025-8-25',
    '2025-02-29',
    '2025-13-01',
    '2025-01-01 24:00:00',
    '2025-01-01T00:00:60',
    '0001-01-01',
    '1754014500',
    '2025-01-01Z',
  ])('refuses %j', (text) => {
    expect(parseTime(text)).toBeUndefined()
  })

  it('writes what it reads', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4e12 }),
        fc.constantFrom('1m', '1h', '1D', '1M'),
        (time, interval) => {
          const day = Math.floor(time / 86_400_000) * 86_400_000
          for (const at of [time, day, day + 3_600_000]) expect(parseTime(formatTime(interval, at))).toBe(at)
        },
      ),
    )
    expect(formatTime('1D', Date.UTC(2025, 7, 25))).toBe('2025-08-25')
    expect(formatTime('1h', Date.UTC(2025, 7, 25, 2), ' ')).toBe('2025-08-25 02:00:00')
    // A day that does not begin at midnight keeps its time.
    expect(formatTime('1D', Date.UTC(2025, 7, 25, 2))).toBe('2025-08-25T02:00:00')
  })
})
