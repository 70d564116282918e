// What several changes of one ticker come to before they are worked on together.
import { describe, expect, it } from 'vitest'
import type { Entry, FoldOptions } from '../../src/bus/index.ts'
import { aggregateChanges } from '../../src/candles/aggregate-changes.ts'
import type { KeeperOptions } from '../../src/candles/keep-candles.ts'
import { type ProjectorOptions, projectCsv } from '../../src/candles/project-csv.ts'
import type { CandleChange } from '../../src/catalog/index.ts'

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
  const fold = projectCsv({} as ProjectorOptions)

  it('is each interval once, from the first to the last changed bar', () => {
    const changes = [
      change('1D', '2026-01-14', '2026-01-15'),
      change('1h', '2026-01-14', '2026-01-14'),
      change('1D', '2026-01-07', '2026-02-03'),
      change('1D', '2026-01-10', '2026-01-10', { ticker: 'VCB' }),
    ]
    expect(Object.values(collected(fold, changes))).toEqual([
      {
        ...{ source: 'vn', ticker: 'VIC', purged: [] },
        ranges: {
          '1D': { from: at('2026-01-07'), to: at('2026-02-03') },
          '1h': { from: at('2026-01-14'), to: at('2026-01-14') },
        },
      },
      {
        ...{ source: 'vn', ticker: 'VCB', purged: [] },
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
