import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candleEmitter } from '../../src/candles/events.ts'
import { candlesFromTicks } from '../../src/candles/fold.ts'
import { candleBars } from '../../src/catalog/index.ts'
import { barsByDefinition, nameOf, newest, quoted, run, type TestTick } from './ticks.ts'

const T = Date.UTC(2026, 0, 5, 10)
const MINUTE = 60_000
const DAY = 86_400_000
const fold = candlesFromTicks()
/** A heartbeat: nothing changed until then. */
const quiet = (time: number) => {
  const entry = quoted({ time, mid: 1 })
  return { ...entry, data: { ...entry.data, quotes: [] } }
}
const ticksOf = (...ticks: [atMs: number, mid: number][]): TestTick[] =>
  ticks.map(([atMs, mid]) => ({ time: T + atMs, mid }))
const statesOf = (heard: ReturnType<typeof run>['heard'], interval: string, time = T) =>
  heard
    .filter(({ bar }) => bar.interval === interval && bar.time === time)
    .map(({ bar }) => `${bar.state} ${bar.open} ${bar.high} ${bar.low} ${bar.close} ${bar.volume}`)

describe('bars from ticks', () => {
  it('have the first, highest, lowest and last middle and the number of ticks, in seven intervals', () => {
    const ticks = ticksOf([0, 100], [10_000, 105], [20_000, 95], [59_999, 101], [MINUTE, 102])
    const { heard, messages } = run(fold, ticks.map(quoted))
    expect(statesOf(heard, '1m').at(-1)).toBe('closed 100 105 95 101 4')
    expect(new Set(heard.map(({ bar }) => bar.interval))).toEqual(
      new Set(['1m', '5m', '15m', '30m', '1h', '4h', '1D']),
    )
    for (const message of messages) expect(candleBars.safeParse(message).success).toBe(true)
  })

  it('are told while they grow, a minute not more often than every five seconds', () => {
    const ticks = Array.from({ length: 100 }, (_, i) => ({ time: T + i * 100, mid: 100 + i }))
    const { heard } = run(fold, ticks.map(quoted))
    expect(statesOf(heard, '1m')).toEqual(['open 100 100 100 100 1', 'open 100 150 100 150 51'])
    expect(statesOf(heard, '1D', Date.UTC(2026, 0, 5))).toHaveLength(1)
  })

  it('of a quiet symbol are told and closed by the time of its partition', () => {
    const { heard } = run(fold, [...ticksOf([0, 100], [1_000, 101]).map(quoted), quiet(T + MINUTE + 3_000)])
    expect(statesOf(heard, '1m')).toEqual(['open 100 100 100 100 1', 'closed 100 101 100 101 2'])
    expect(statesOf(heard, '5m').at(-1)).toBe('open 100 101 100 101 2')
  })

  it('are corrected by a tick that comes up to two minutes late, open and close by time and then arrival', () => {
    const ticks = [
      ...ticksOf([1_000, 100], [50_000, 101], [MINUTE + 500, 110]),
      { time: T, mid: 90, heardAt: T + MINUTE + 600 },
      { time: T, mid: 91, heardAt: T + MINUTE + 700 },
      { time: T + 50_000, mid: 99, heardAt: T + MINUTE + 800 },
    ]
    const { heard, late } = run(fold, [...ticks.map(quoted), quiet(T + MINUTE + 3_000)])
    expect(statesOf(heard, '1m')).toEqual([
      'open 100 100 100 100 1',
      'open 100 101 100 101 2',
      'closed 100 101 100 101 2',
      'corrected 90 101 90 99 5',
    ])
    expect(late).toEqual([])
  })

  it('stay as they are when a tick comes later than that, which is told and not lost in silence', () => {
    const ticks = [
      ...ticksOf([0, 100], [3 * MINUTE, 100]),
      { time: T + 1, mid: 500, heardAt: T + 3 * MINUTE },
    ]
    const { heard, late } = run(fold, [...ticks.map(quoted), quiet(T + 3 * MINUTE + 2_000)])
    expect(statesOf(heard, '1m').at(-1)).toBe('closed 100 100 100 100 1')
    expect(late).toEqual([{ ticks: 1, from: T + 1, to: T + 1 }])
    // What is still growing takes it.
    const { heard: all } = run(fold, [...ticks.map(quoted), quiet(T + DAY)])
    expect(newest(all).get(nameOf({ interval: '5m', time: T }))).toMatchObject({ high: 500, volume: 3 })
  })

  it('say whether they were heard from their beginning on', () => {
    const { heard } = run(fold, [...ticksOf([30_000, 100], [90_000, 100]).map(quoted), quiet(T + DAY)])
    const whole = heard.filter(({ bar }) => bar.whole).map(({ bar }) => nameOf(bar))
    expect(new Set(whole)).toEqual(new Set([nameOf({ interval: '1m', time: T + MINUTE })]))
  })

  it('are made of the middle of markets alone: not of wide books, one-sided ones, repetitions or wrong clocks', () => {
    const events = candleEmitter()
    const refused: string[] = []
    events.on('refused', ({ reason }) => refused.push(reason))
    const bad = quoted({ time: T, mid: 100 })
    const withQuote = (more: object) => ({
      ...bad,
      data: { ...bad.data, quotes: [{ ...bad.data.quotes[0]!, ...more }] },
    })
    const { state } = run(candlesFromTicks(events), [
      withQuote({ asks: [[110, 1]], bids: [[99.9, 1]] }),
      withQuote({ asks: [] }),
      withQuote({ time: T + MINUTE + 1 }),
      bad,
      bad,
    ])
    expect(refused).toEqual(['wide', 'ahead', 'repeated'])
    expect(Object.values(state.series).map(({ bars }) => bars['1m'].map(({ ticks }) => ticks))).toEqual([[1]])
  })

  it('count two equal ticks of one message twice, and once again when the message comes again', () => {
    const entry = quoted({ time: T, mid: 100 })
    const twice = {
      ...entry,
      data: { ...entry.data, quotes: [entry.data.quotes[0]!, entry.data.quotes[0]!] },
    }
    const { heard } = run(fold, [twice, { ...twice, id: 'other' }, quiet(T + DAY)])
    expect(statesOf(heard, '1m').at(-1)).toBe('closed 100 100 100 100 2')
  })

  it('of simulations are kept apart from those of markets, and those of venues from each other', () => {
    const ticks = [
      { time: T, mid: 100 },
      { time: T, mid: 200, simulated: true },
      { time: T, mid: 300, venue: 'beta' },
    ]
    const { heard } = run(fold, [...ticks.map(quoted), quiet(T + DAY)])
    const closes = new Map(heard.map(({ source, bar }) => [source, bar.close]))
    expect([...closes]).toEqual([
      ['alpha', 100],
      ['alpha~simulated', 200],
      ['beta', 300],
    ])
  })

  it('begin anew when the stream goes back in time, as another recording does, and lose nothing untold', () => {
    const old = ticksOf([-DAY, 50], [-DAY + 10, 51])
    const { heard, late } = run(fold, [...ticksOf([0, 100], [10, 101]), ...old].map(quoted))
    expect(statesOf(heard, '1m').at(-1)).toBe('open 100 101 100 101 2')
    expect(statesOf(heard, '1m', T - DAY)).toEqual(['open 50 50 50 50 1'])
    expect(late).toEqual([])
  })

  it('keep a bounded number of series: the one that is silent for longest is told and gives way', () => {
    const ticks = Array.from({ length: 1_003 }, (_, i) => ({ time: T + i / 2, mid: 100, symbol: `S${i}/X` }))
    const { state, heard } = run(fold, ticks.map(quoted))
    const names = Object.keys(state.series)
    expect([names.length, names[0], names.at(-1)]).toEqual([1_000, 'alpha|S3/X', 'alpha|S1002/X'])
    expect(heard.filter(({ bar }) => bar.interval === '1m').map(({ ticker }) => ticker)).toEqual([
      'S0/X',
      'S1/X',
      'S2/X',
    ])
    expect(fold.save(state).length / 1_000).toBeLessThan(1_200)
  })
})

describe('bars from any ticks', () => {
  /** Ticks that are at most a minute late, so that every one of them still finds its bars. */
  const walk = fc.array(
    fc.record({
      pauseMs: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 90_000 })),
      lateMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: MINUTE - 1 })),
      mid: fc.integer({ min: 90, max: 110 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  const toTicks = (steps: readonly { pauseMs: number; lateMs: number; mid: number }[]) => {
    let now = T
    const seen = new Set<string>()
    return steps
      .map(({ pauseMs, lateMs, mid }) => {
        now += pauseMs
        return { time: now - lateMs, mid, heardAt: now }
      })
      .filter(({ time, mid }) => seen.size < seen.add(`${time} ${mid}`).size)
  }

  it('are those of their definition, however late and disordered the ticks were', () => {
    let corrected = 0
    fc.assert(
      fc.property(walk, (steps) => {
        const ticks = toTicks(steps)
        const { heard, late } = run(fold, [...ticks.map(quoted), quiet(T + 100 * DAY)])
        expect(late).toEqual([])
        const known = newest(heard)
        const expected = barsByDefinition(ticks)
        expect(known.size).toBe(expected.size)
        for (const [name, bar] of expected) expect(known.get(name)).toEqual(bar)
        corrected += heard.filter(({ bar }) => bar.state === 'corrected').length
      }),
    )
    // How many differs from draw to draw, from 49 up; none would mean that nothing late was drawn.
    expect(corrected).toBeGreaterThan(0)
  })

  it('grow: a later version of a bar has more ticks, or is closed', () => {
    fc.assert(
      fc.property(walk, (steps) => {
        const versions = new Map<string, number>()
        for (const { bar } of run(fold, toTicks(steps).map(quoted)).heard) {
          const version = bar.volume + (bar.state === 'open' ? 0 : 0.5)
          expect(version).toBeGreaterThan(versions.get(nameOf(bar)) ?? 0)
          versions.set(nameOf(bar), version)
        }
      }),
    )
  })

  it('continue after save and load at any cut as if nothing had happened, under the same ids', () => {
    fc.assert(
      fc.property(walk, fc.nat(), (steps, where) => {
        const entries = [...toTicks(steps).map(quoted), quiet(T + 100 * DAY)]
        const cut = where % entries.length
        const whole = run(fold, entries).events
        const before = run(fold, entries.slice(0, cut))
        const after = run(fold, entries.slice(cut), fold.load(fold.save(before.state)))
        expect([...before.events, ...after.events]).toEqual(whole)
        expect(new Set(whole.map(({ id }) => id)).size).toBe(whole.length)
      }),
    )
  })
})
