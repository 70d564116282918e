// Several stores on the same ticks at once, as a writer and an import, or two writers that do not know of each other.
import { setImmediate } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Tick, TickStore, Written } from '../../src/ticks/tick.ts'
import { all, demandTicks, type Property, type TickPlace, using, written } from './conformance-place.ts'
import { DAY_MS, feed, NOON, tick } from './samples.ts'

const both = <T>(place: TickPlace, work: (one: TickStore, other: TickStore) => Promise<T>): Promise<T> =>
  using(place, (one) => using(place, (other) => work(one, other)))

const sum = (parts: readonly Written[]): Written =>
  written(
    parts.reduce((total, { stored }) => total + stored, 0),
    parts.reduce((total, { duplicate }) => total + duplicate, 0),
  )

const lists = (ticks: readonly Tick[], size: number): Tick[][] =>
  Array.from({ length: Math.ceil(ticks.length / size) }, (_, n) => ticks.slice(n * size, (n + 1) * size))

export const TOGETHER: readonly Property[] = [
  {
    says: 'shows at once what another store wrote, late ticks too',
    async hold(place) {
      await both(place, async (one, other) => {
        expect(await all(other)).toEqual([])
        for (const time of [NOON, NOON + 1, NOON - 1, NOON + DAY_MS, NOON - DAY_MS]) {
          expect(await one.write([tick({ time })])).toEqual(written(1))
          expect((await all(other)).map((found) => found.time)).toContain(time)
          expect(await other.write([tick({ time }), tick({ time, bid: 1.2 })])).toEqual(written(1, 1))
          expect((await one.recent('EURUSD', 10)).filter((found) => found.time === time).length).toBe(2)
        }
        expect(await one.series()).toEqual(await other.series())
      })
    },
  },
  {
    says: 'stores each tick once when two write the same at the same time',
    async hold(place) {
      const ticks = feed(600)
      await both(place, async (one, other) => {
        const parts = lists(ticks, 60)
        const results = await Promise.all(parts.flatMap((list) => [one.write(list), other.write(list)]))
        expect(sum(results)).toEqual(written(600, 600))
        for (const symbol of ['SYM0', 'SYM1', 'SYM2', 'SYM3']) {
          demandTicks(
            await all(other, symbol),
            ticks.filter((found) => found.symbol === symbol),
          )
        }
      })
    },
  },
  {
    says: 'keeps both of two contents that are written under one key at the same time',
    async hold(place) {
      await both(place, async (one, other) => {
        const writes = Array.from({ length: 20 }, (_, n) =>
          [1, 2, 3].map((part) => tick({ bid: n, bidSize: part })),
        )
        const results = await Promise.all(
          writes.flatMap((list) => [one.write(list), other.write(list.toReversed())]),
        )
        expect(sum(results)).toEqual(written(60, 60))
        const found = await all(one)
        expect(found.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 60 }, (_, n) => n))
        expect(new Set(found.map(({ bid, bidSize }) => `${bid} ${bidSize}`)).size).toBe(60)
      })
    },
  },
  {
    says: 'gives what is written in its order while another store writes',
    async hold(place) {
      const ticks = feed(1_000, { symbols: 1 })
      await both(place, async (one, other) => {
        let done = false
        const writing = (async () => {
          try {
            for (const list of lists(ticks, 20)) await one.write(list)
          } finally {
            done = true
          }
        })()
        while (!done) {
          const found = await all(other, 'SYM0')
          demandTicks(found, ticks.slice(0, found.length))
          // A store that has nothing yet may answer without letting anybody else run.
          await setImmediate()
        }
        await writing
        demandTicks(await all(other, 'SYM0'), ticks)
      })
    },
  },
]
