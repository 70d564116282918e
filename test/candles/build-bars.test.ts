// What is rebuilt from stored ticks equals what the fold said while they came.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BuiltTick, buildBars } from '../../src/candles/build-bars.ts'
import { candlesFromTicks } from '../../src/candles/fold.ts'
import { TICK_INTERVALS } from '../../src/candles/fold-bars.ts'
import { recording } from '../support/recordings.ts'
import { barsByDefinition, nameOf, newest, type PlainBar, quoted, run, type TestTick } from './ticks.ts'

const T = Date.UTC(2026, 0, 5, 10)
const fold = candlesFromTicks()

/** As a tick store gives them: in order of their time, and of arrival within it. */
async function* stored(ticks: readonly TestTick[]): AsyncGenerator<BuiltTick> {
  for (const tick of ticks.toSorted((a, b) => a.time - b.time)) {
    const { time, mid, bid = mid - 0.5, ask = mid + 0.5 } = tick
    const micros = Math.round(time * 1_000)
    const ms = Math.floor(micros / 1_000)
    yield { time: ms, nanos: (micros - ms * 1_000) * 1_000, bid, ask }
  }
}

async function rebuilt(ticks: readonly TestTick[]) {
  const bars = new Map<string, PlainBar>()
  const key = { source: 'alpha', ticker: 'A/X', intervals: TICK_INTERVALS }
  for await (const { source: _, ticker: __, ...bar } of buildBars(stored(ticks), key)) {
    expect(bars.has(nameOf(bar as PlainBar))).toBe(false)
    bars.set(nameOf(bar as PlainBar), bar as PlainBar)
  }
  return bars
}

/** The end of the world: everything is closed and told. */
const theEnd = () => {
  const entry = quoted({ time: T + 100 * 86_400_000, mid: 1 })
  return { ...entry, data: { ...entry.data, quotes: [] } }
}

const recorded = recording('ticks/EURUSD/2026-01-19.json')

interface RecordedTick {
  readonly timestamp: string
  readonly lp: string
  readonly bid: number
  readonly ask: number
}

/** The market's ticks of a recording whose times have seven digits behind the second. */
function ticksOf(path: string): TestTick[] {
  const all = JSON.parse(readFileSync(path, 'utf8')) as RecordedTick[]
  return all
    .filter(({ lp, bid, ask }) => lp === 'YOFX' && bid > 0 && ask >= bid)
    .map(({ timestamp, bid, ask }) => {
      const fraction = Number(`0.${/\.(\d+)/.exec(timestamp)?.[1] ?? 0}`)
      const time = Math.floor(Date.parse(timestamp) / 1_000) * 1_000 + Math.floor(fraction * 1e6) / 1e3
      return { time, bid, ask, mid: (bid + ask) / 2 }
    })
}

describe('rebuilt bars', () => {
  it('are those of the fold, with times of a fraction of a millisecond and ticks that came late', async () => {
    const steps = fc.array(
      fc.record({
        pauseMs: fc.oneof(
          fc.integer({ min: 0, max: 3 }).map((n) => n / 4),
          fc.integer({ min: 0, max: 90_000 }),
        ),
        lateMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 59_999 })),
        mid: fc.integer({ min: 90, max: 110 }),
      }),
      { minLength: 1, maxLength: 50 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        let now = T
        const seen = new Set<string>()
        const ticks = list
          .map(({ pauseMs, lateMs, mid }) => {
            now += pauseMs
            return { time: now - lateMs, mid, heardAt: now }
          })
          // One that came twice is stored once.
          .filter(({ time, mid }) => seen.size < seen.add(`${time} ${mid}`).size)
        const { heard, late } = run(fold, [...ticks.map(quoted), theEnd()])
        expect(late).toEqual([])
        expect(await rebuilt(ticks)).toEqual(newest(heard))
      }),
    )
  })

  it.skipIf(!recorded)('of a recorded day are those of the fold, and those of their definition', async () => {
    const ticks = ticksOf(recorded!)
    expect(ticks).toHaveLength(3_628)
    const sameTime = ticks.filter(({ time }, i) => ticks[i - 1]?.time === time).length
    expect(sameTime).toBeGreaterThan(100)
    const { heard } = run(fold, [...ticks.map(quoted), theEnd()])
    const bars = await rebuilt(ticks)
    expect(bars).toEqual(newest(heard))
    expect(bars).toEqual(barsByDefinition(ticks))
  })

  it('have what the fold had to leave out because it came too late', async () => {
    const ticks = [100, 101].map((mid, i) => ({ time: T + i * 600_000, mid }))
    const late = { time: T + 1, mid: 500, heardAt: T + 600_000 }
    const { heard, late: told } = run(fold, [...[...ticks, late].map(quoted), theEnd()])
    expect(told).toHaveLength(1)
    const name = nameOf({ interval: '1m', time: T })
    expect(newest(heard).get(name)).toMatchObject({ high: 100, volume: 1 })
    expect((await rebuilt([...ticks, late])).get(name)).toMatchObject({ high: 500, volume: 2 })
  })

  it('are refused when ticks are out of order: a bar that was given away cannot be given again', async () => {
    async function* wrong(): AsyncGenerator<BuiltTick> {
      for (const time of [T, T - 1]) yield { time, nanos: 0, bid: 1, ask: 1 }
    }
    const work = async () => {
      const bars = []
      const key = { source: 'a', ticker: 'A/X', intervals: TICK_INTERVALS }
      for await (const bar of buildBars(wrong(), key)) bars.push(bar)
      return bars
    }
    await expect(work()).rejects.toThrow('comes behind a later one')
  })
})
