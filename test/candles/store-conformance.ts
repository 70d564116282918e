// What every candle store promises, asked of each. The expectation is a map of bars and the formulas over all of it.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Bar, CandleStore } from '../../src/candles/candle.ts'
import type { TickerStore } from '../../src/candles/tickers-read.ts'
import { aBar, barsFrom, candlesOf, MINUTE, START } from './store-bars.ts'

export interface OpenStore {
  readonly store: CandleStore & TickerStore
  close(): Promise<void>
}

export function describeStore(name: string, open: () => Promise<OpenStore>, { runs = 12 } = {}): void {
  describe(name, () => {
    let opened: OpenStore
    let store: CandleStore & TickerStore
    beforeAll(async () => {
      opened = await open()
      store = opened.store
    })
    afterAll(() => opened.close())
    let turn = 0
    /** A series of its own for each test. */
    const newTicker = () => ({ ticker: `T${turn++}` })
    const all = ({ ticker }: { ticker: string }) => store.range({ source: 'vn', ticker, interval: '1m' })

    it('gives back what was written, oldest first, bit by bit, with the columns of all closes', async () => {
      const of = newTicker()
      const bars = barsFrom(0, 450, of)
      expect(await store.write([...bars].reverse())).toEqual({ stored: 450, changed: 0, unchanged: 0 })
      expect(await all(of)).toEqual(candlesOf(bars))
    })

    it('comes to the same columns by whatever writes the bars arrive', async () => {
      // Pieces of 600 bars in any order, overlapping, some of them corrections.
      const pieces = fc.array(
        fc.record({ first: fc.nat(500), count: fc.integer({ min: 1, max: 250 }), version: fc.nat(2) }),
        { minLength: 1, maxLength: 6 },
      )
      const property = fc.asyncProperty(pieces, async (writes) => {
        const of = newTicker()
        const written: Bar[] = []
        for (const { first, count, version } of writes) {
          const bars = barsFrom(first, count, of, version)
          const before = new Map(written.map((bar) => [bar.time, bar]))
          const known = bars.filter(({ time }) => before.has(time))
          const changed = known.filter((bar) => before.get(bar.time)!.close !== bar.close).length
          expect(await store.write(bars)).toEqual({
            ...{ stored: count - known.length, changed, unchanged: known.length - changed },
          })
          written.push(...bars)
        }
        expect(await all(of)).toEqual(candlesOf(written))
      })
      await fc.assert(property, { numRuns: runs })
    })

    it('lets the last of two bars with one key count, also in one call', async () => {
      const of = newTicker()
      const [one, two] = [aBar(1, of), aBar(1, { ...of, close: 7 })]
      expect(await store.write([one, aBar(0, of), two])).toEqual({ stored: 2, changed: 0, unchanged: 0 })
      expect(await all(of)).toEqual(candlesOf([aBar(0, of), two]))
      expect(await store.write([two, two])).toEqual({ stored: 0, changed: 0, unchanged: 1 })
      expect(await store.write([])).toEqual({ stored: 0, changed: 0, unchanged: 0 })
    })

    it('puts a late bar and a correction in place, however far back, and again what sees them', async () => {
      const of = newTicker()
      const bars = barsFrom(0, 900, of).filter((_, i) => i !== 300)
      await store.write(bars)
      const late = aBar(300, of)
      expect(await store.write([late])).toEqual({ stored: 1, changed: 0, unchanged: 0 })
      expect(await all(of)).toEqual(candlesOf([...bars, late]))
      const corrections = [aBar(0, of, 1), aBar(500, of, 1), aBar(899, of, 1)]
      expect(await store.write(corrections)).toEqual({ stored: 0, changed: 3, unchanged: 0 })
      expect(await all(of)).toEqual(candlesOf([...bars, late, ...corrections]))
    })

    it('answers ranges from the first inclusive to the last exclusive, and the newest of them', async () => {
      const of = newTicker()
      const candles = candlesOf(barsFrom(0, 300, of))
      await store.write(candles)
      const range = (more: object) => store.range({ source: 'vn', interval: '1m', ...of, ...more })
      const at = (i: number) => START + i * MINUTE
      expect(await range({ from: at(10), to: at(20) })).toEqual(candles.slice(10, 20))
      expect(await range({ from: at(9) + 1, to: at(20) + 1 })).toEqual(candles.slice(10, 21))
      expect(await range({ limit: 5 })).toEqual(candles.slice(-5))
      expect(await range({ to: at(200), limit: 3 })).toEqual(candles.slice(197, 200))
      expect(await range({ from: at(298), limit: 50 })).toEqual(candles.slice(298))
      expect(await range({ from: at(20), to: at(10) })).toEqual([])
      expect(await range({ limit: 0 })).toEqual([])
      expect(await range({ ticker: 'NONE' })).toEqual([])
    })

    it('keeps series apart by source, ticker and interval, 1m from 1M, and lists and purges them', async () => {
      const source = `src${turn++}`
      const key = (ticker: string, interval: Bar['interval']) => ({ source, ticker, interval })
      const month = { ...aBar(0), ...key('B/C', '1M'), time: START }
      const bars = [
        ...barsFrom(0, 3, key('B/C', '1m')),
        ...barsFrom(0, 2, key('A', '1m')),
        ...barsFrom(0, 1, key('A', '1h')),
        month,
      ]
      await store.write(bars)
      const listed = (ticker: string, interval: Bar['interval'], count: number) => ({
        ...{ ...key(ticker, interval), bars: count, first: START, last: START + (count - 1) * MINUTE },
      })
      const expected = [
        listed('A', '1h', 1),
        listed('A', '1m', 2),
        listed('B/C', '1M', 1),
        listed('B/C', '1m', 3),
      ]
      expect(await store.keys(source)).toEqual(expected)
      expect(await store.keys(source, 'B/C')).toEqual(expected.slice(2))
      expect(await store.keys()).toEqual(expect.arrayContaining(expected))
      expect(await store.tickers(source, ['1h', '1m'])).toEqual(['A', 'B/C'])
      expect(await store.tickers(source, ['1M'])).toEqual(['B/C'])
      expect(await store.tickers(source, ['1D'])).toEqual([])
      expect(await store.tickers('nobody', ['1m'])).toEqual([])
      expect(await store.sources('B/C', '1M')).toEqual([source])
      expect(await store.sources('B/C', '1h')).toEqual([])
      expect(await store.range(key('B/C', '1M'))).toEqual(candlesOf([month]))
      expect(await store.purge(source, 'B/C', ['1m', '1D'])).toBe(3)
      expect(await store.purge(source, 'B/C', ['1m', '1D'])).toBe(0)
      expect(await store.keys(source)).toEqual([expected[0], expected[1], expected[2]])
      expect(await store.range(key('B/C', '1m'))).toEqual([])
      // What comes after a purge begins anew.
      await store.write([aBar(900, key('B/C', '1m'))])
      expect(await store.range(key('B/C', '1m'))).toEqual(candlesOf([aBar(900, key('B/C', '1m'))]))
    })

    it('keeps numbers at the edge of a float64, and times at any millisecond', async () => {
      const of = newTicker()
      const odd = [
        aBar(0, { ...of, open: 5e-324, high: Number.MAX_VALUE, low: -0, close: 1e21, volume: 0.1 + 0.2 }),
        aBar(1, { ...of, time: START + 1, close: 0, volume: 0 }),
        aBar(2, { ...of, time: START + 61_000, close: -37.63, volume: 1e-7 }),
      ]
      await store.write(odd)
      const [first, ...rest] = candlesOf(odd)
      expect(await all(of)).toEqual([{ ...first, low: 0 }, ...rest])
    })

    it.each([
      ['a fraction of a millisecond', { time: 1.5 }],
      ['a price that is no number', { high: Number.NaN }],
      ['an endless volume', { volume: Number.POSITIVE_INFINITY }],
      ['an interval nobody knows', { interval: '1H' as '1h' }],
      ['a ticker with a comma', { ticker: 'A,B' }],
      ['no ticker', { ticker: '' }],
      ['a source with a line break', { source: 'a\nb' }],
    ])('refuses %s and stores nothing of the list', async (_what, more) => {
      const of = newTicker()
      const writing = store.write([aBar(0, of), aBar(1, { ...of, ...more })])
      await expect(writing).rejects.toMatchObject({ code: 'USAGE' })
      expect(await all(of)).toEqual([])
    })
  })
}
