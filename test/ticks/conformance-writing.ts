// What becomes of ticks that are written: nothing is dropped, nothing is overwritten, nothing is changed, and the same
// again stores nothing.
import fc from 'fast-check'
import { expect } from 'vitest'
import type { Tick } from '../../src/ticks/tick.ts'
import { all, demandTicks, type Property, using, written } from './conformance-place.ts'
import { openModel } from './model.ts'
import { anyTick, DAY_MS, feed, NOON, tick, withSequences } from './samples.ts'

const NAMES = [
  'BTC/USDT',
  'BTC.P',
  '.',
  '..',
  '.a',
  'a.',
  '../up',
  'a%2Fb',
  'a\\b',
  'EUR USD',
  'ÄÖ€',
  '日経',
  '😀',
  'con',
].concat(["o'k", '"q"', 'eurusd', '~', '*', '-', '_', 'x'.repeat(64), 'é'.repeat(32)])

const WRONG: readonly (readonly [string, Partial<Record<keyof Tick, unknown>>])[] = [
  ['symbol', { symbol: '' }],
  ['symbol', { symbol: 'a\0b' }],
  ['symbol', { symbol: 'half \ud83d' }],
  ['symbol', { symbol: 'é'.repeat(33) }],
  ['source', { source: '' }],
  ['time', { time: NOON + 0.5 }],
  ['time', { time: -1 }],
  ['time', { time: Date.UTC(2262, 0, 1) }],
  ['nanos', { nanos: 1_000_000 }],
  ['sequence', { sequence: -1 }],
  ['sequence', { sequence: 2 ** 32 }],
  ['bid', { bid: Number.NaN }],
  ['ask', { ask: Number.POSITIVE_INFINITY }],
  ['bidSize', { bidSize: Number.NaN }],
  ['volume', { volume: '5' }],
  ['flags', { flags: 0.5 }],
  ['broker', { broker: 'a\nb' }],
]

export const WRITING: readonly Property[] = [
  {
    says: 'gives back every field as it came, and keeps it when it is opened again',
    async hold(place) {
      const one = tick({
        nanos: 268_500,
        sequence: 3,
        bidSize: 0,
        askSize: 2.5,
        volume: 7,
        flags: 2 ** 32 - 1,
        broker: 'main',
      })
      const bare = tick({ time: NOON + 1 })
      await using(place, async (store) => {
        expect(await store.write([one, bare])).toEqual(written(2))
        demandTicks(await all(store), [one, bare])
      })
      await using(place, async (store) => demandTicks(await all(store), [one, bare]))
    },
  },
  {
    says: 'keeps all ticks of one time in the order of arrival, whatever their prices',
    async hold(place) {
      const bids = [1.5, 1.1, 1.9, 1.1000000000000003, 1.3]
      const ticks = withSequences([...bids, ...bids].map((bid) => tick({ bid })))
      await using(place, async (store) => {
        expect(await store.write(ticks)).toEqual(written(10))
        demandTicks(await all(store), ticks)
        demandTicks(await store.recent('EURUSD', 3), ticks.slice(7))
      })
    },
  },
  {
    says: 'counts a duplicate and does not store it, in one list, in the next, and after opening again',
    async hold(place) {
      const ticks = withSequences([tick(), tick({ bid: 1.2 }), tick({ time: NOON + 5 })])
      await using(place, async (store) => {
        expect(await store.write([...ticks, ticks[0]!])).toEqual(written(3, 1))
        expect(await store.write(ticks)).toEqual(written(0, 3))
      })
      await using(place, async (store) => {
        expect(await store.write([...ticks, tick({ time: NOON + 6 })])).toEqual(written(1, 3))
        demandTicks(await all(store), [...ticks, tick({ time: NOON + 6 })])
      })
    },
  },
  {
    says: 'gives other content under a taken key the next free sequence, and stores nothing when it comes again',
    async hold(place) {
      const [a, b, c, d] = [1.1, 1.2, 1.3, 1.4].map((bid) => tick({ bid })) as [Tick, Tick, Tick, Tick]
      const five = tick({ bid: 1.5, sequence: 1 })
      const stored = [a, five, { ...b, sequence: 2 }, { ...c, sequence: 3 }, { ...d, sequence: 4 }]
      for (let round = 0; round < 2; round++) {
        await using(place, async (store) => {
          expect(await store.write([a, five])).toEqual(round === 0 ? written(2) : written(0, 2))
          expect(await store.write([b, c, b])).toEqual(round === 0 ? written(2, 1) : written(0, 3))
          expect(await store.write([d, a])).toEqual(round === 0 ? written(1, 1) : written(0, 2))
          demandTicks(await all(store), stored)
        })
      }
    },
  },
  {
    says: 'settles a list one by one in its order where its ticks collide',
    async hold(place) {
      const ticks = [tick({ bid: 1.1 }), tick({ bid: 1.2 }), tick({ bid: 1.3, sequence: 1 })]
      await using(place, async (store) => {
        expect(await store.write(ticks)).toEqual(written(3))
        demandTicks(
          await all(store),
          ticks.map((one, sequence) => ({ ...one, sequence })),
        )
        expect(await store.write(ticks)).toEqual(written(0, 3))
      })
    },
  },
  {
    says: 'tells apart what differs in any field',
    async hold(place) {
      const others: Partial<Tick>[] = [
        ...[{}, { bid: 1.08480000000001 }, { ask: 1.0850000000000002 }, { bidSize: 0 }, { bidSize: 1 }],
        ...[{ askSize: 0 }, { volume: 1 }, { volume: -0 }, { flags: 1 }, { broker: 'x' }],
        ...[{ source: 'other' }, { nanos: 1 }, { time: NOON + 1 }],
      ]
      await using(place, async (store) => {
        expect(await store.write(others.map(tick))).toEqual(written(others.length))
        expect(await store.write(others.map(tick))).toEqual(written(0, others.length))
        expect((await all(store)).length).toBe(others.length)
      })
    },
  },
  {
    says: 'keeps every float64, every size and every nanosecond, bit by bit',
    async hold(place) {
      const edges = [
        0,
        -0,
        Number.MIN_VALUE,
        -Number.MAX_VALUE,
        2 ** 53 + 2,
        0.1 + 0.2,
        1e-7,
        1e21,
        1.7976931348623157e308,
      ]
      const ticks = edges.map((bid, n) =>
        tick({ bid, ask: bid, bidSize: bid, volume: bid, time: NOON - 9 + n, nanos: n * 124_999 }),
      )
      await using(place, async (store) => {
        await store.write(ticks)
        demandTicks(await all(store), ticks)
        await fc.assert(
          fc.asyncProperty(
            fc.uniqueArray(anyTick, { selector: keyOf, maxLength: 20 }),
            fc.nat(),
            async (some, n) => {
              const symbol = `any ${n}`
              const known = await all(store, symbol)
              fc.pre(known.length === 0)
              const list = some.map((one) => ({ ...one, symbol }))
              expect(await store.write(list)).toEqual(written(list.length))
              demandTicks(await all(store, symbol), await modelled(list, symbol))
            },
          ),
          { numRuns: 10 },
        )
      })
    },
  },
  {
    says: 'files a tick under the UTC day of its own time, also when it is late',
    async hold(place) {
      const midnight = NOON + DAY_MS / 2
      const order = [midnight, midnight - 1, NOON + DAY_MS, NOON, midnight + 1, NOON - 30 * DAY_MS]
      const ticks = order.map((time) => tick({ time, nanos: 999_999 }))
      await using(place, async (store) => {
        for (const one of ticks) expect(await store.write([one])).toEqual(written(1))
        expect(await store.write(ticks)).toEqual(written(0, 6))
        demandTicks(
          await all(store),
          ticks.toSorted((a, b) => a.time - b.time),
        )
        const days = (await store.series()).map(({ day, ticks: count }) => `${day} ${count}`)
        expect(days).toEqual(['2025-12-20 1', '2026-01-19 2', '2026-01-20 3'])
      })
    },
  },
  {
    says: 'keeps names apart, whatever characters are in them',
    async hold(place) {
      const ticks = NAMES.map((symbol, n) => tick({ symbol, source: NAMES.at(-n)!, broker: symbol, bid: n }))
      await using(place, async (store) => expect(await store.write(ticks)).toEqual(written(NAMES.length)))
      await using(place, async (store) => {
        for (const one of ticks) demandTicks(await all(store, one.symbol), [one])
        const found = (await store.series()).map(({ symbol }) => symbol)
        expect(found).toEqual(NAMES.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
        expect(await store.write(ticks)).toEqual(written(0, NAMES.length))
      })
    },
  },
  {
    says: 'refuses what cannot be stored, naming the field, and stores nothing of that list',
    async hold(place) {
      await using(place, async (store) => {
        for (const [field, wrong] of WRONG) {
          const list = [tick(), { ...tick({ time: NOON + 1 }), ...wrong } as Tick]
          const refused = {
            code: 'PAYLOAD_INVALID',
            message: expect.stringContaining(`Tick 2 of 2: ${field} is `),
          }
          await expect(store.write(list)).rejects.toMatchObject(refused)
        }
        expect(await all(store)).toEqual([])
        expect(await store.write([])).toEqual(written(0))
      })
    },
  },
  {
    says: 'takes 20,000 ticks in lists of 500 and answers with the same',
    async hold(place) {
      const ticks = feed(20_000, { stepMs: 5_000 })
      await using(place, async (store) => {
        for (let at = 0; at < ticks.length; at += 500) {
          expect(await store.write(ticks.slice(at, at + 500))).toEqual(written(500))
        }
        expect(await store.write(ticks.slice(3_000, 4_000))).toEqual(written(0, 1_000))
        const symbols = [...new Set(ticks.map(({ symbol }) => symbol))]
        for (const symbol of symbols) {
          demandTicks(
            await all(store, symbol),
            ticks.filter((one) => one.symbol === symbol),
          )
        }
      })
    },
  },
]

const keyOf = ({ source, time, nanos, sequence }: Tick): string => `${time} ${nanos} ${sequence} ${source}`

async function modelled(list: readonly Tick[], symbol: string): Promise<Tick[]> {
  const model = openModel({ ticks: [] })
  await model.write(list)
  return all(model, symbol)
}
