// How a store answers: order, ends, limits, pages, sources, and what there is.
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Tick, TickCursor, TickQuery, TickStore } from '../../src/ticks/tick.ts'
import { ALWAYS, all, demandTicks, type Property, using, written } from './conformance-place.ts'
import { openModel } from './model.ts'
import { crowded, DAY_MS, feed, NOON, tick, withSequences } from './samples.ts'

/** In code units the second comes before the first; in bytes and characters behind it. */
const HIGH = ['\uff5e', '😀'] as const

async function pages(store: TickStore, query: TickQuery, limit: number): Promise<Tick[]> {
  const found: Tick[] = []
  for (let after: TickCursor | undefined; ; after = found.at(-1)) {
    const page = await store.range({ ...query, limit, ...(after && { after }) })
    expect(page.length).toBeLessThanOrEqual(limit)
    found.push(...page)
    if (page.length < limit) return found
  }
}

export const ANSWERS: readonly Property[] = [
  {
    says: 'answers in the order of time, nanoseconds, source and sequence, however the ticks came',
    async hold(place) {
      const times = [NOON, NOON + 1, NOON + DAY_MS].flatMap((time) =>
        [0, 1, 999_999].map((nanos) => ({ time, nanos })),
      )
      const sources = ['Z', 'a', 'b', 'é', ...HIGH]
      const ordered = times.flatMap((at) =>
        sources.flatMap((source) =>
          [0, 1, 10].map((sequence) => tick({ ...at, source, sequence, bid: 2 - sequence / 10 })),
        ),
      )
      const mixed = ordered.map((_, n) => ordered[(n * 71) % ordered.length]!)
      await using(place, async (store) => {
        expect(await store.write(mixed.slice(0, 100))).toEqual(written(100))
        expect(await store.write(mixed.slice(100))).toEqual(written(ordered.length - 100))
        demandTicks(await all(store), ordered)
        demandTicks(await store.recent('EURUSD', 20), ordered.slice(-20))
        expect([...new Set((await store.series('2026-01-19')).map(({ source }) => source))]).toEqual(sources)
      })
    },
  },
  {
    says: 'includes the first millisecond of a range and not its end',
    async hold(place) {
      const ticks = [-1, 0, 1, 2].flatMap((ms) =>
        [0, 999_999].map((nanos) => tick({ time: NOON + ms, nanos })),
      )
      await using(place, async (store) => {
        await store.write(ticks)
        const range = (from: number, to: number) => store.range({ symbol: 'EURUSD', from, to })
        demandTicks(await range(NOON, NOON + 2), ticks.slice(2, 6))
        demandTicks(await range(NOON, NOON + 1), ticks.slice(2, 4))
        demandTicks(await range(NOON - 1_000, NOON), ticks.slice(0, 2))
        demandTicks(await range(-DAY_MS, Number.MAX_SAFE_INTEGER), ticks)
        for (const [from, to] of [
          [NOON, NOON],
          [NOON + 1, NOON],
          [NOON + 3, NOON + 9],
        ] as const) {
          expect(await range(from, to)).toEqual([])
        }
      })
    },
  },
  {
    says: 'crosses midnights and days without ticks',
    async hold(place) {
      const midnight = NOON + DAY_MS / 2
      const ticks = [NOON, midnight - 1, midnight, midnight + 40 * DAY_MS].map((time) => tick({ time }))
      await using(place, async (store) => {
        await store.write(ticks)
        demandTicks(await all(store), ticks)
        demandTicks(
          await store.range({ symbol: 'EURUSD', from: midnight - 1, to: midnight + 1 }),
          ticks.slice(1, 3),
        )
        demandTicks(await store.recent('EURUSD', 3), ticks.slice(1))
        demandTicks(await pages(store, { symbol: 'EURUSD', ...ALWAYS }, 1), ticks)
      })
    },
  },
  {
    says: 'gives every tick exactly once in pages of any size, also where many share a time',
    async hold(place) {
      const shared = withSequences(
        Array.from({ length: 60 }, (_, n) => tick({ source: `s${n % 3}`, bid: n })),
      )
      const ticks = [
        ...shared,
        ...feed(300, { symbols: 1 }).map((one) => ({ ...one, symbol: 'EURUSD', time: one.time + 1 })),
      ]
      await using(place, async (store) => {
        await store.write(ticks)
        const whole = await all(store)
        expect(whole.length).toBe(360)
        for (const limit of [1, 7, 59, 60, 61, 360, 1_000]) {
          demandTicks(await pages(store, { symbol: 'EURUSD', ...ALWAYS }, limit), whole)
        }
        const one = whole.filter(({ source }) => source === 's1')
        demandTicks(await pages(store, { symbol: 'EURUSD', ...ALWAYS, source: 's1' }, 7), one)
        expect(await store.range({ symbol: 'EURUSD', ...ALWAYS, limit: 0 })).toEqual([])
      })
    },
  },
  {
    says: 'continues behind a place where no tick is, and never outside of the range',
    async hold(place) {
      const ticks = [0, 10, 20].map((ms) => tick({ time: NOON + ms, source: 'm' }))
      const behind = (after: TickCursor, from = 0) => ({ symbol: 'EURUSD', ...ALWAYS, from, after })
      await using(place, async (store) => {
        await store.write(ticks)
        const at = { time: NOON + 10, nanos: 0, source: 'm', sequence: 0 }
        for (const [after, left] of [
          [{ ...at, time: NOON + 5 }, 1],
          [{ ...at, source: 'a' }, 1],
          [{ ...at, source: 'z' }, 2],
          [{ ...at, sequence: 9 }, 2],
          [{ ...at, nanos: 1 }, 2],
          [{ ...at, time: NOON - DAY_MS * 9 }, 0],
          [{ ...at, time: NOON + DAY_MS * 9 }, 3],
        ] as const) {
          demandTicks(await store.range(behind(after)), ticks.slice(left))
        }
        demandTicks(await store.range(behind({ ...at, time: 0 }, NOON + 20)), ticks.slice(2))
      })
    },
  },
  {
    says: 'keeps sources apart: in ranges, in what is recent, and in the series',
    async hold(place) {
      const ticks = ['a', 'b', 'a', 'c', 'a', 'b'].map((source, n) => tick({ source, time: NOON + n }))
      const of = (source: string) => ticks.filter((one) => one.source === source)
      await using(place, async (store) => {
        await store.write(ticks)
        demandTicks(await all(store), ticks)
        for (const source of ['a', 'b', 'c', 'd']) {
          demandTicks(await store.range({ symbol: 'EURUSD', source, ...ALWAYS }), of(source))
          demandTicks(await store.recent('EURUSD', 2, source), of(source).slice(-2))
        }
        const shared = { day: '2026-01-19', symbol: 'EURUSD' }
        expect(await store.series()).toEqual([
          { ...shared, source: 'a', ticks: 3, first: NOON, last: NOON + 4 },
          { ...shared, source: 'b', ticks: 2, first: NOON + 1, last: NOON + 5 },
          { ...shared, source: 'c', ticks: 1, first: NOON + 3, last: NOON + 3 },
        ])
      })
    },
  },
  {
    says: 'answers an empty list where there is nothing',
    async hold(place) {
      await using(place, async (store) => {
        const nothing = async (symbol: string) => {
          expect(await all(store, symbol)).toEqual([])
          expect(await store.recent(symbol, 10)).toEqual([])
        }
        await nothing('EURUSD')
        expect(await store.series()).toEqual([])
        await store.write([tick()])
        for (const symbol of [
          'GBPUSD',
          'eurusd',
          '',
          '..',
          '../EURUSD',
          'EURUSD\0',
          '%',
          '\ud83d',
          'x'.repeat(1_000),
        ]) {
          await nothing(symbol)
        }
        expect(await store.recent('EURUSD', 10, 'nobody')).toEqual([])
        expect(await store.recent('EURUSD', 0)).toEqual([])
        expect(await store.series('2026-01-18')).toEqual([])
      })
    },
  },
  {
    says: 'refuses a limit that is no whole number from 0',
    async hold(place) {
      await using(place, async (store) => {
        for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          await expect(store.range({ symbol: 'EURUSD', ...ALWAYS, limit: wrong })).rejects.toMatchObject({
            code: 'USAGE',
          })
          await expect(store.recent('EURUSD', wrong)).rejects.toMatchObject({ code: 'USAGE' })
        }
      })
    },
  },
  {
    says: 'answers like the model after any writes',
    async hold(place) {
      const shelf = { ticks: [] }
      const model = openModel(shelf)
      const cursor = fc.option(crowded, { nil: undefined })
      const step = fc.tuple(fc.array(crowded, { maxLength: 12 }), crowded, cursor, fc.nat(5), fc.boolean())
      await using(place, async (store) => {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
            for (const [list, { symbol, source, time: from }, after, limit, one] of steps) {
              expect(await store.write(list)).toEqual(await model.write(list))
              const query = {
                symbol,
                from,
                to: from + DAY_MS / 2,
                limit,
                ...(one && { source }),
                ...(after && { after }),
              }
              demandTicks(await store.range(query), await model.range(query))
              const of = one ? source : undefined
              demandTicks(await store.recent(symbol, limit, of), await model.recent(symbol, limit, of))
            }
            expect(await store.series()).toEqual(await model.series())
          }),
          { numRuns: 15 },
        )
        for (const symbol of ['EURUSD', 'BTC/USDT'])
          demandTicks(await all(store, symbol), await all(model, symbol))
      })
      await using(place, async (store) => {
        for (const symbol of ['EURUSD', 'BTC/USDT'])
          demandTicks(await all(store, symbol), await all(model, symbol))
      })
    },
  },
]
