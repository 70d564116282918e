import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  crossOf,
  newEma,
  newMacd,
  newRsi,
  newSma,
  pushEma,
  pushMacd,
  pushRsi,
  pushSma,
} from '../../src/signals/indicators.ts'

const prices = fc.array(fc.double({ min: 1, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 120 })
const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length

/** The formulas over the whole history, written down again as in the books. */
const naive = {
  sma: (all: readonly number[], n: number) => (all.length < n ? undefined : mean(all.slice(-n))),
  ema(all: readonly number[], n: number): number | undefined {
    if (all.length < n) return undefined
    const alpha = 2 / (n + 1)
    return all.slice(n).reduce((ema, price) => alpha * price + (1 - alpha) * ema, mean(all.slice(0, n)))
  },
  rsi(all: readonly number[], n: number): number | undefined {
    const moves = all.slice(1).map((price, i) => price - all[i]!)
    if (moves.length < n) return undefined
    const smooth = (values: readonly number[]) =>
      values.slice(n).reduce((average, v) => (average * (n - 1) + v) / n, mean(values.slice(0, n)))
    const up = smooth(moves.map((m) => Math.max(m, 0)))
    const down = smooth(moves.map((m) => Math.max(-m, 0)))
    if (up === 0 && down === 0) return 50
    return down === 0 ? 100 : 100 - 100 / (1 + up / down)
  },
  macd(all: readonly number[], fast: number, slow: number, signal: number): number | undefined {
    const lines = all.flatMap((_, i) => {
      const [f, s] = [naive.ema(all.slice(0, i + 1), fast), naive.ema(all.slice(0, i + 1), slow)]
      return f === undefined || s === undefined ? [] : [f - s]
    })
    const average = naive.ema(lines, signal)
    return average === undefined ? undefined : lines.at(-1)! - average
  },
}

function holds(
  one: (price: number) => number | undefined,
  all: readonly number[],
  whole: (a: readonly number[]) => number | undefined,
) {
  const last = all.map(one).at(-1)
  const wanted = whole(all)
  if (wanted === undefined) expect(last).toBeUndefined()
  else expect(last).toBeCloseTo(wanted, 6)
}

describe('indicators, one price at a time', () => {
  it('give what the formulas over the whole history give', () => {
    fc.assert(
      fc.property(prices, (all) => {
        const [sma, ema, rsi, macd] = [newSma(20), newEma(12), newRsi(14), newMacd(12, 26, 9)]
        holds(
          (p) => pushSma(sma, p),
          all,
          (a) => naive.sma(a, 20),
        )
        holds(
          (p) => pushEma(ema, p),
          all,
          (a) => naive.ema(a, 12),
        )
        holds(
          (p) => pushRsi(rsi, p),
          all,
          (a) => naive.rsi(a, 14),
        )
        holds(
          (p) => pushMacd(macd, p),
          all,
          (a) => naive.macd(a, 12, 26, 9),
        )
      }),
    )
  })

  it('give the printed RSI of the textbook example', () => {
    // StockCharts, "Relative Strength Index (RSI)", QQQQ: first value 70.53, then 66.32.
    const closes = [
      44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931,
      46.0328, 45.614, 46.282, 46.282, 46.0028,
    ]
    const rsi = newRsi(14)
    const values = closes.map((close) => pushRsi(rsi, close)).filter((v) => v !== undefined)
    expect(values.map((v) => v.toFixed(2))).toEqual(['70.53', '66.32'])
  })

  it('know a price that only rises from one that never moves', () => {
    const [rising, flat] = [newRsi(2), newRsi(2)]
    expect([1, 2, 3, 4].map((p) => pushRsi(rising, p)).at(-1)).toBe(100)
    expect([1, 1, 1, 1].map((p) => pushRsi(flat, p)).at(-1)).toBe(50)
  })

  it('cross when they leave zero for the other side, once', () => {
    expect(crossOf(undefined, 1)).toBeUndefined()
    expect([
      crossOf(-1, 1),
      crossOf(0, 1),
      crossOf(1, 2),
      crossOf(1, 0),
      crossOf(0, -1),
      crossOf(1, -1),
    ]).toEqual(['buy', 'buy', undefined, undefined, 'sell', 'sell'])
  })
})
