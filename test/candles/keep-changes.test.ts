// What several changes of one ticker come to before they are worked on together.
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Entry, FoldOptions } from '../../src/bus/index.ts'
import { aggregateChanges } from '../../src/candles/aggregate-changes.ts'
import type { Candle, Interval } from '../../src/candles/candle.ts'
import { candleEmitter } from '../../src/candles/events.ts'
import type { KeeperOptions } from '../../src/candles/keep-candles.ts'
import { openProjector, type ProjectorOptions, type ProjectorState } from '../../src/candles/project-csv.ts'
import type { CandleChange } from '../../src/catalog/index.ts'
import { SluiceError } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'

const at = (day: string) => Date.parse(day)

function change(
  interval: CandleChange['ranges'][0]['interval'],
  from: string,
  to: string,
  more: Partial<CandleChange> = {},
) {
  const ranges = [{ interval, from: at(from), to: at(to) }]
  return { source: 'vn', ticker: 'VIC', ranges, kind: 'written', origin: 'files', ...more } as CandleChange
}

/** The state after these changes, through a checkpoint. */
function collected<S>(fold: FoldOptions<CandleChange, S>, changes: readonly CandleChange[]): S {
  const state = fold.start()
  for (const data of changes) fold.apply(state, { id: 'x', data } as Entry<CandleChange>)
  return fold.load(fold.save(state))
}

describe('what has to be computed again', () => {
  const fold = aggregateChanges({} as KeeperOptions)
  const spans = (changes: readonly CandleChange[]) =>
    Object.values(collected(fold, changes)).map(({ higher, from, to }) =>
      [higher, ...[from, to].map((time) => new Date(time).toISOString().slice(0, 10))].join(' '),
    )

  it('are the whole longer bars that any of the changes touches', () => {
    expect(
      spans([change('1D', '2026-01-14', '2026-01-15'), change('1D', '2026-01-07', '2026-02-03')]),
    ).toEqual(['1W 2026-01-05 2026-02-09', '2W 2026-01-05 2026-02-16', '1M 2026-01-01 2026-03-01'])
    expect(
      spans([change('1D', '2026-01-07', '2026-02-03'), change('1D', '2026-01-14', '2026-01-15')]),
    ).toEqual(spans([change('1D', '2026-01-07', '2026-02-03')]))
  })

  it('is only what is made of days where the bars come from ticks, which make all others themselves', () => {
    const intervals = (origin: CandleChange['origin']) =>
      (['1m', '1h', '1D'] as const).flatMap((interval) =>
        spans([change(interval, '2026-01-14', '2026-01-14', { origin })]).map((span) => span.split(' ')[0]),
      )
    expect(intervals('files')).toEqual(['5m', '15m', '30m', '4h', '1W', '2W', '1M'])
    expect(intervals('ticks')).toEqual(['1W', '2W', '1M'])
    expect(spans([change('1W', '2026-01-05', '2026-01-05', { origin: 'bars' })])).toEqual([])
  })

  it('is nothing after a purge, which names the longer intervals as well', () => {
    expect(spans([change('1D', '2026-01-14', '2026-01-15', { kind: 'purged' })])).toEqual([])
  })
})

describe('what has to be written to files', () => {
  const { fold } = openProjector({} as ProjectorOptions)

  it('is each interval once, from the first to the last changed bar', () => {
    const changes = [
      change('1D', '2026-01-14', '2026-01-15'),
      change('1h', '2026-01-14', '2026-01-14'),
      change('1D', '2026-01-07', '2026-02-03'),
      change('1D', '2026-01-10', '2026-01-10', { ticker: 'VCB' }),
    ]
    expect(Object.values(collected(fold, changes))).toEqual([
      {
        ...{ source: 'vn', ticker: 'VIC', purged: [], held: {} },
        ranges: {
          '1D': { from: at('2026-01-07'), to: at('2026-02-03') },
          '1h': { from: at('2026-01-14'), to: at('2026-01-14') },
        },
      },
      {
        ...{ source: 'vn', ticker: 'VCB', purged: [], held: {} },
        ranges: { '1D': { from: at('2026-01-10'), to: at('2026-01-10') } },
      },
    ])
  })

  it('is everything that is there now where an interval was purged, once', () => {
    const purged = change('1h', '2026-01-01', '2026-01-31', { kind: 'purged' })
    const [dirty] = Object.values(collected(fold, [purged, change('1h', '2026-02-02', '2026-02-02'), purged]))
    expect(dirty).toMatchObject({
      purged: ['1h'],
      ranges: { '1h': { from: at('2026-01-01'), to: at('2026-02-02') } },
    })
  })
})

describe('a growing bar', () => {
  const T = at('2026-01-14')
  /** Files that are written by a projector whose clock stands until it is told otherwise. */
  function openFiles() {
    const place = { now: T + 1_000, written: [] as string[], refused: '' }
    const name = (interval: string, time: number) => `${interval} ${(time - T) / 1_000}`
    const projector = openProjector({
      clock: {
        now: () => place.now,
        monotonic: () => place.now,
        async sleep(ms) {
          place.now += ms
          await setImmediate()
        },
      },
      events: candleEmitter(),
      from: {
        range: async ({ ticker, interval, from, to }) =>
          [T - 60_000, T, T + 60_000]
            .filter((time) => time >= from! && time < to!)
            .map((time) => ({ ticker, interval, time }) as Candle),
      },
      into: {
        async write(bars) {
          if (bars[0]!.ticker === place.refused) throw new SluiceError('DATABASE_UNAVAILABLE', 'no room')
          place.written.push(...bars.map(({ interval, time }) => name(interval, time)))
          return { stored: 0, changed: 0, unchanged: 0 }
        },
        purge: async () => 0,
      },
      writeLegacy: (work) => work(),
    })
    const { fold } = projector
    const never = new AbortController().signal
    const hear = async (state: ProjectorState, seconds: number, from: number, interval: Interval = '1m') => {
      place.now = T + seconds * 1_000
      const ranges = [{ interval, from: T + from * 1_000, to: T }]
      fold.apply(state, { id: 'x', data: change('1m', '', '', { ranges }) } as Entry<CandleChange>)
      await fold.settle!(state, never)
    }
    return { ...projector, place, hear }
  }

  it('is written once it is over, those before it at once, and nothing waits then', async () => {
    const { fold, hear, place } = openFiles()
    const state = fold.start()
    await hear(state, 1, -60)
    expect(place.written).toEqual(['1m -60'])
    for (let seconds = 5; seconds < 60; seconds += 5) await hear(state, seconds, 0)
    expect(place.written).toEqual(['1m -60'])
    await hear(state, 62, 0)
    expect(place.written).toEqual(['1m -60', '1m 0'])
    expect(state).toEqual({})
  })

  it('that lasts longer is written once a minute', async () => {
    const { fold, hear, place } = openFiles()
    const state = fold.start()
    for (let seconds = 0; seconds < 200; seconds += 10) await hear(state, seconds, 0, '1D')
    expect(place.written).toEqual(['1D 0', '1D 0', '1D 0'])
  })

  it('waits for a disk alone: what other partitions have is written meanwhile', async () => {
    const { fold, place } = openFiles()
    place.refused = 'VIC'
    const lost = new AbortController()
    const states = ['VIC', 'VNM'].map((ticker) => {
      const state = fold.start()
      const ranges = [{ interval: '1m' as const, from: T - 60_000, to: T - 60_000 }]
      fold.apply(state, {
        id: 'x',
        data: { ...change('1m', '', '', { ranges }), ticker },
      } as Entry<CandleChange>)
      return fold.settle!(state, lost.signal)
    })
    await eventually(() => place.written.length > 0)
    lost.abort()
    await Promise.all(states)
    expect(place.written).toEqual(['1m -60'])
  })

  it('is written where nothing comes any more, also by who takes over from a process that was killed', async () => {
    const [one, successor] = [openFiles(), openFiles()]
    const state = one.fold.start()
    await one.hear(state, 10, 0, '1D')
    const taken = successor.fold.load(one.fold.save(state))
    for (const [{ task, place }, left] of [
      [one, state],
      [successor, taken],
    ] as const) {
      const stop = new AbortController()
      const done = task(stop.signal)
      await eventually(() => place.written.length > 0)
      stop.abort()
      await done
      expect(place.written).toEqual(['1D 0'])
      expect(left['vn|VIC']).toMatchObject({ held: {}, ranges: {} })
    }
  })
})
