// Times of tick files are read and written exactly.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTime, timeText } from '../../src/ticks/parse-time.ts'

const YEARS = { min: Date.UTC(1970, 0, 1), max: Date.UTC(2262, 0, 1) - 1 }
const zone = fc.integer({ min: -14 * 60, max: 14 * 60 })

/** The same moment as a clock in another zone shows it. */
function inZone(time: number, nanos: number, minutes: number): string {
  const [sign, from] = [minutes < 0 ? '-' : '+', Math.abs(minutes)]
  const two = (value: number) => String(value).padStart(2, '0')
  const local = timeText({ time: time + minutes * 60_000, nanos }).slice(0, -1)
  return `${local}${sign}${two(Math.floor(from / 60))}:${two(from % 60)}`
}

describe('a time', () => {
  it('comes back exactly as it was written', () => {
    fc.assert(
      fc.property(fc.integer(YEARS), fc.nat(999_999), (time, nanos) => {
        expect(parseTime(timeText({ time, nanos }))).toEqual({ time, nanos })
      }),
    )
  })

  it('is the same moment in every zone', () => {
    fc.assert(
      fc.property(fc.integer(YEARS), fc.nat(999_999), zone, (time, nanos, minutes) => {
        expect(parseTime(inZone(time, nanos, minutes))).toEqual({ time, nanos })
      }),
    )
  })

  it('agrees with Date where Date is exact', () => {
    fc.assert(
      fc.property(fc.integer({ min: -6e13, max: 8e13 }), (time) => {
        expect(parseTime(new Date(time).toISOString())).toEqual({ time, nanos: 0 })
      }),
    )
  })

  it.each([
    ['2026-01-19T17:21:51.8972685+05:30', Date.UTC(2026, 0, 19, 11, 51, 51, 897), 268_500],
    ['2026-01-19T17:21:51.89+05:30', Date.UTC(2026, 0, 19, 11, 51, 51, 890), 0],
    ['2026-01-19T11:51:51Z', Date.UTC(2026, 0, 19, 11, 51, 51), 0],
    ['2026-01-19 11:51:51,000000001-0330', Date.UTC(2026, 0, 19, 15, 21, 51), 1],
    ['2026-01-19T11:51:51.9+05', Date.UTC(2026, 0, 19, 6, 51, 51, 900), 0],
    ['2024-02-29T00:00:00.000Z', Date.UTC(2024, 1, 29), 0],
    ['1969-12-31T23:59:59.999999999Z', -1, 999_999],
  ])('%s is read', (text, time, nanos) => {
    expect(parseTime(text)).toEqual({ time, nanos })
  })

  it.each([
    ['without a zone', '2026-01-19T17:21:51.897'],
    ['of a day that no month has', '2026-02-29T00:00:00Z'],
    ['of a day behind one that was right', '2026-01-32T00:00:00Z'],
    ['of hour 24', '2026-01-19T24:00:00Z'],
    ['of second 60', '2016-12-31T23:59:60Z'],
    ['of ten digits', '2026-01-19T17:21:51.1234567890Z'],
    ['with a point and no digits', '2026-01-19T17:21:51.Z'],
    ['with half a zone', '2026-01-19T17:21:51+05:3'],
    ['with more behind the zone', '2026-01-19T17:21:51Zz'],
    ['with a sign in a number', '2026-01-19T17:21:-1Z'],
    ['that is a date', '2026-01-19'],
    ['that is empty', ''],
    ['that is a word', 'yesterday'],
  ])('%s is none', (_, text) => {
    expect(parseTime(text)).toBeUndefined()
  })
})
