import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aggregate, MADE_OF, type MadeInterval, madeOf } from '../../src/candles/aggregate.ts'
import { bucketOf } from '../../src/candles/bucket.ts'
import type { Bar, Interval } from '../../src/candles/candle.ts'

const at = (text: string) => Date.parse(text)

function aBar(interval: Interval, time: number, [open, high, low, close, volume]: readonly number[]): Bar {
  const prices = { open: open!, high: high!, low: low!, close: close!, volume: volume! }
  return { source: 'vn', ticker: 'VIC', interval, time, ...prices }
}

describe('aggregated bars', () => {
  it('have the first open, the highest high, the lowest low, the last close and all of the volume', () => {
    const day = at('2025-01-06')
    const days = [
      aBar('1D', day, [10, 12, 9, 11, 100]),
      aBar('1D', day + 86_400_000, [11, 15, 10, 14, 50]),
      aBar('1D', day + 4 * 86_400_000, [14, 14, 8, 9, 25]),
    ]
    expect(aggregate(days, '1W', day + 7 * 86_400_000)).toEqual([
      { ...aBar('1W', day, [10, 15, 8, 9, 175]), complete: true },
    ])
  })

  it('are complete when the lower bars are known to their end, not when no day is missing in them', () => {
    const days = ['2025-01-30', '2025-01-31', '2025-02-03'].map((day) => aBar('1D', at(day), [1, 1, 1, 1, 1]))
    const complete = (until: string) => aggregate(days, '1M', at(until)).map((bar) => bar.complete)
    expect(complete('2025-02-01')).toEqual([true, false])
    expect(complete('2025-01-31')).toEqual([false, false])
    expect(complete('2025-03-01')).toEqual([true, true])
  })

  it('begin a new bar of two weeks where the calendar says so, also in a short January', () => {
    const weeks = ['2020-12-21', '2020-12-28', '2021-01-04', '2021-01-11']
    const days = weeks.map((day, i) => aBar('1D', at(day), [i, i, i, i, 1]))
    const made = aggregate(days, '2W', at('2021-02-01'))
    expect(made.map(({ time, volume }) => [time, volume])).toEqual([
      [at('2020-12-14'), 1],
      [at('2020-12-28'), 2],
      [at('2021-01-11'), 1],
    ])
  })

  it('say the same at once and over an interval between them', () => {
    const series = fc.array(
      fc.record({
        minute: fc.nat(5_000),
        prices: fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 4, maxLength: 4 }),
      }),
      { minLength: 1, maxLength: 80 },
    )
    fc.assert(
      fc.property(series, (rows) => {
        const minutes = [...new Map(rows.map((row) => [row.minute, row])).values()].sort(
          (a, b) => a.minute - b.minute,
        )
        const bars = minutes.map(({ minute, prices }) => {
          const [open, close] = [prices[0]!, prices[3]!]
          return aBar('1m', minute * 60_000, [open, Math.max(...prices), Math.min(...prices), close, 1])
        })
        const direct = aggregate(bars, '30m', 0)
        const over = aggregate(aggregate(bars, '15m', 0), '30m', 0)
        expect(over).toEqual(direct)
        expect(direct.reduce((sum, { volume }) => sum + volume, 0)).toBe(bars.length)
        expect(direct.every(({ time }) => bucketOf('30m', time) === time)).toBe(true)
      }),
    )
  })

  it('are made of minutes, hours and days', () => {
    expect(madeOf('1m')).toEqual(['5m', '15m', '30m'])
    expect(madeOf('1h')).toEqual(['4h'])
    expect(madeOf('1D')).toEqual(['1W', '2W', '1M'])
    expect((Object.keys(MADE_OF) as MadeInterval[]).flatMap(madeOf)).toEqual([])
  })
})
