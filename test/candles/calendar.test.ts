import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxAgeSeconds, vietnamCalendar } from '../../src/candles/calendar.ts'
import { ALWAYS_OPEN } from '../../src/catalog/index.ts'
import { parseHolidays } from '../../src/kernel/index.ts'

const local = (text: string) => Date.parse(`${text}+07:00`)
const calendar = vietnamCalendar(parseHolidays('2026-01-01, 2026-02-16@11:00'))

describe('the calendar of Ho Chi Minh City', () => {
  it.each([
    ['2026-01-05T08:59:59.999', false],
    ['2026-01-05T09:00', true],
    ['2026-01-05T11:29:59.999', true],
    ['2026-01-05T11:30', false],
    ['2026-01-05T12:59:59.999', false],
    ['2026-01-05T13:00', true],
    ['2026-01-05T14:59:59.999', true],
    ['2026-01-05T15:00', false],
    ['2026-01-04T10:00', false],
    ['2026-01-03T10:00', false],
    ['2026-01-01T10:00', false],
    ['2026-02-16T10:59', true],
    ['2026-02-16T11:00', false],
    ['2026-02-16T13:30', false],
  ])('at %s: open is %s', (time, open) => {
    expect(calendar.isOpen(local(time))).toBe(open)
  })

  it.each([
    ['2026-01-05T08:00', '2026-01-05T09:00'],
    ['2026-01-05T10:00', '2026-01-05T10:00'],
    ['2026-01-05T11:30', '2026-01-05T13:00'],
    ['2026-01-05T15:00', '2026-01-06T09:00'],
    ['2026-01-09T15:00', '2026-01-12T09:00'],
    ['2025-12-31T15:00', '2026-01-02T09:00'],
    ['2026-02-16T11:00', '2026-02-17T09:00'],
  ])('opens after %s at %s', (time, opens) => {
    expect(calendar.nextOpen(local(time))).toBe(local(opens))
  })

  it('is open at what it says opens next, and not before', () => {
    const time = fc.integer({ min: local('2015-01-01T00:00'), max: local('2030-01-01T00:00') })
    fc.assert(
      fc.property(time, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (t, share) => {
        const opens = calendar.nextOpen(t)
        expect(calendar.isOpen(opens)).toBe(true)
        if (opens > t) expect(calendar.isOpen(t + Math.floor((opens - t) * share))).toBe(false)
      }),
    )
  })

  it.each(['2026-13-01', '2026-02-30', '1.1.2026', '2026-01-01@25:00', '2026-01-01@11'])(
    'refuses the holiday %s and says what is allowed',
    (text) => {
      expect(() => parseHolidays(text)).toThrow(/^YYYY-MM-DD.*; ".*" is neither$/)
    },
  )
})

describe('the age of an answer', () => {
  it('is 30 s while the market trades and 120 s while it does not', () => {
    expect(maxAgeSeconds(calendar, local('2026-01-05T10:00'))).toBe(30)
    expect(maxAgeSeconds(calendar, local('2026-01-05T12:00'))).toBe(120)
    expect(maxAgeSeconds(ALWAYS_OPEN, local('2026-01-04T03:00'))).toBe(30)
  })

  it('ends where a list of holidays leaves no day', () => {
    const days = Array.from({ length: 400 }, (_, i) =>
      new Date(Date.UTC(2026, 0, 1 + i)).toISOString().slice(0, 10),
    )
    const never = vietnamCalendar(parseHolidays(days.join(',')))
    expect(never.nextOpen(local('2026-01-01T00:00'))).toBe(Number.POSITIVE_INFINITY)
  })
})
