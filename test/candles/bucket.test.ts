import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketEnd, bucketOf } from '../../src/candles/bucket.ts'
import { INTERVALS } from '../../src/candles/candle.ts'

const DAY = 86_400_000
const at = (text: string) => Date.parse(text)
const time = fc.integer({ min: at('1900-01-01T00:00:00Z'), max: at('2150-01-01T00:00:00Z') })

describe('buckets', () => {
  it.each(INTERVALS)('of %s hold each moment once, without gap or overlap', (interval) => {
    fc.assert(
      fc.property(time, (t) => {
        const begin = bucketOf(interval, t)
        const end = bucketEnd(interval, t)
        expect(begin <= t && t < end).toBe(true)
        expect(bucketOf(interval, begin)).toBe(begin)
        expect(bucketOf(interval, end - 1)).toBe(begin)
        expect(bucketOf(interval, end)).toBe(end)
      }),
    )
  })

  it('nest: a bar of each interval begins and ends with bars of what it is made of', () => {
    const nests = [
      ...(['5m', '15m', '30m', '1h', '4h', '1D'] as const).map((higher) => ['1m', higher] as const),
      ...[['1h', '4h'] as const, ['1h', '1D'] as const],
      ...(['1W', '2W', '1M'] as const).map((higher) => ['1D', higher] as const),
      ['1W', '2W'] as const,
    ]
    fc.assert(
      fc.property(time, fc.constantFrom(...nests), (t, [lower, higher]) => {
        for (const edge of [bucketOf(higher, t), bucketEnd(higher, t)])
          expect(bucketOf(lower, edge)).toBe(edge)
      }),
    )
  })

  it('of a week begin on Monday, of a month on the first', () => {
    fc.assert(
      fc.property(time, (t) => {
        expect(new Date(bucketOf('1W', t)).getUTCDay()).toBe(1)
        expect(new Date(bucketOf('2W', t)).getUTCDay()).toBe(1)
        expect(new Date(bucketOf('1M', t)).getUTCDate()).toBe(1)
      }),
    )
    expect(bucketOf('1M', at('2024-02-29T23:59:59.999Z'))).toBe(at('2024-02-01'))
    expect(bucketEnd('1M', at('2024-12-05T00:00:00Z'))).toBe(at('2025-01-01'))
  })

  it('of two weeks go on over a year of 53 weeks, where pairs of ISO weeks by their number do not', () => {
    // The last weeks of 2020 (W52, W53) and the first of 2021 (W1, W2).
    const mondays = ['2020-12-21', '2020-12-28', '2021-01-04', '2021-01-11'].map(at)
    const begins = mondays.map((monday) => new Date(bucketOf('2W', monday)).toISOString().slice(0, 10))
    expect(begins).toEqual(['2020-12-14', '2020-12-28', '2020-12-28', '2021-01-11'])
    for (const monday of mondays) expect(bucketEnd('2W', monday) - bucketOf('2W', monday)).toBe(14 * DAY)
  })

  it('take times with a fraction', () => {
    expect(bucketOf('1m', 59_999.999)).toBe(0)
    expect(bucketOf('1m', 60_000.001)).toBe(60_000)
  })
})
