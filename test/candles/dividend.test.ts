import { describe, expect, it } from 'vitest'
import type { Bar, Interval } from '../../src/candles/candle.ts'
import { dividendsIn, planPurge } from '../../src/candles/dividend.ts'

const DAY = 86_400_000
const bar = (close: number, day: number, ticker = 'VIC', interval: Interval = '1D'): Bar => ({
  ...{ source: 'vn', ticker, interval, time: day * DAY, open: close, high: close, low: close, close },
  volume: 1,
})
const closes = (values: readonly number[], ticker?: string, interval?: Interval) =>
  values.map((close, day) => bar(close, day, ticker, interval))

describe('a dividend', () => {
  it('is seen when what is stored is more than 2 % above what comes for the same day', () => {
    const found = dividendsIn(closes([100, 102, 103, 50]), closes([100, 100, 100, 50]))
    expect(found).toEqual([
      { source: 'vn', ticker: 'VIC', first: 0, from: 2 * DAY, to: 2 * DAY, ratio: 1.03 },
    ])
  })

  it('is not seen in the newest day of either side, whose close may still have moved', () => {
    expect(dividendsIn(closes([100, 110]), closes([100, 100]))).toEqual([])
    expect(dividendsIn(closes([100, 110]), closes([100, 100, 100]))).toEqual([])
    expect(dividendsIn(closes([100, 110, 110]), closes([100, 100]))).toEqual([])
    expect(dividendsIn(closes([100, 110, 110]), closes([100, 100, 100]))).toHaveLength(1)
  })

  it('is not seen in an index, in another interval, in prices that rise, or where nothing is stored', () => {
    const [before, after] = [
      [110, 110, 110],
      [100, 100, 100],
    ] as const
    expect(dividendsIn(closes(before, 'VNINDEX'), closes(after, 'VNINDEX'))).toEqual([])
    expect(dividendsIn(closes(before, 'VIC', '1h'), closes(after, 'VIC', '1h'))).toEqual([])
    expect(dividendsIn(closes(after), closes(before))).toEqual([])
    expect(dividendsIn(closes(before, 'VCB'), closes(after))).toEqual([])
    expect(dividendsIn(closes(before), closes([0, 0, 0]))).toEqual([])
  })

  it('is told of each ticker by itself', () => {
    const existing = [...closes([110, 110, 110], 'A'), ...closes([5, 5, 5], 'B')]
    const incoming = [...closes([5, 5, 5], 'B'), ...closes([100, 100, 100], 'A')]
    expect(dividendsIn(existing, incoming)).toEqual([
      { source: 'vn', ticker: 'A', first: 0, from: 0, to: DAY, ratio: 1.1 },
    ])
  })

  it('costs every interval of the ticker that is not made of days', () => {
    const [dividend] = dividendsIn(closes([110, 110, 110]), closes([100, 100, 100]))
    const key = (interval: Interval, ticker = 'VIC', first = 0) => ({ source: 'vn', ticker, interval, first })
    const keys = [key('1m'), key('1h'), key('1D'), key('1W'), key('1h', 'VCB')]
    expect(planPurge(dividend!, keys)).toEqual({
      ...{ source: 'vn', ticker: 'VIC', isCut: false },
      purge: ['1m', '1h'],
    })
  })

  it('found in a file that does not reach back far enough says that old prices stay in front of it', () => {
    const [dividend] = dividendsIn(closes([110, 110, 110]), closes([100, 100, 100]).slice(1))
    const key = { source: 'vn', ticker: 'VIC', interval: '1D', first: 0 } as const
    expect(planPurge(dividend!, [key]).isCut).toBe(true)
    expect(planPurge(dividend!, [{ ...key, first: DAY }]).isCut).toBe(false)
  })
})
