// Which place a text names.
import { describe, expect, it } from 'vitest'
import { readSeekTarget } from '../../src/bus/index.ts'

describe('a place', () => {
  it.each([
    ['start', 'start'],
    ['end', 'end'],
    ['1700000000000-12', { entry: '1700000000000-12' }],
    ['1700000000000', { time: 1_700_000_000_000 }],
    ['2026-01-31T09:30:00Z', { time: Date.UTC(2026, 0, 31, 9, 30) }],
    ['2026-01-31T09:30+01:00', { time: Date.UTC(2026, 0, 31, 8, 30) }],
    ['2026-01-31', { time: Date.UTC(2026, 0, 31) }],
  ])('is read from %s', (text, target) => {
    expect(readSeekTarget(text)).toEqual(target)
  })

  it.each(['', 'yesterday', '-5', '5-', '2026-01-31T09:30:00', '2026-13-01', '99999999999999999', '1.5'])(
    'is not read from %j',
    (text) => {
      expect(() => readSeekTarget(text)).toThrow(/allowed: start, end, an entry id/)
    },
  )
})
