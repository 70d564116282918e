// Blocks of several series and files are read as one list in order, and batches are split for them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchOf, ticksOf, transferablesOf } from '../../src/ticks/batch.ts'
import type { TickColumns } from '../../src/ticks/columns.ts'
import { partsOf } from '../../src/ticks/day-file-parts.ts'
import { mergeRuns, type Strand } from '../../src/ticks/read-runs.ts'
import { columnsOf, type Row, row, rowsOf } from './block-columns.ts'
import { anyTick, DAY_MS, NOON, tick } from './samples.ts'

interface Key {
  readonly rank: number
  readonly time: number
  readonly sequence: number
}

const byKey = (a: Key, b: Key): number => a.time - b.time || a.rank - b.rank || a.sequence - b.sequence
const content = ({ rank, time, sequence }: Key): Row =>
  row({ time, sequence, bid: rank * 1_000 + time, volume: sequence })

/** Blocks of sorted ticks; each load is counted. */
function strandOf(rank: number, blocks: readonly Row[][], limits: Partial<Strand> = {}) {
  const columns = blocks.filter((rows) => rows.length > 0).map((rows) => columnsOf(rows))
  const places = columns.map(({ time, count }, id) => ({
    id,
    first: time[0]!,
    last: time[count - 1]!,
    count,
  }))
  const loaded: number[] = []
  const load = ({ id }: { id: number }): TickColumns => {
    loaded.push(id)
    return columns[id]!
  }
  const all = { fromTime: 0, fromSequence: 0, toTime: Number.POSITIVE_INFINITY }
  return { strand: { rank, places, load, ...all, ...limits } satisfies Strand, loaded }
}

const readAll = (strands: readonly Strand[]): Row[] =>
  [...mergeRuns(strands)].flatMap(({ columns, from, to }) => rowsOf(columns, from, to))

describe('runs', () => {
  const key = fc.record({ rank: fc.nat(2), time: fc.nat(40), sequence: fc.nat(2) })

  it('give any blocks of any series in order, each tick once, also where two files hold the same', () => {
    const keys = fc.uniqueArray(key, { selector: (one) => JSON.stringify(one), maxLength: 120 })
    const block = fc.array(fc.nat(5), { minLength: 120, maxLength: 120 })
    fc.assert(
      fc.property(
        keys,
        block,
        fc.array(fc.boolean(), { minLength: 120, maxLength: 120 }),
        (all, blockOf, twice) => {
          const strands = [0, 1, 2].flatMap((rank) => {
            const own = all.map((one, i) => ({ one, i })).filter(({ one }) => one.rank === rank)
            const rows = (some: typeof own) =>
              some
                .map(({ one }) => one)
                .sort(byKey)
                .map(content)
            const blocks = [0, 1, 2, 3, 4, 5].map((n) => rows(own.filter(({ i }) => blockOf[i] === n)))
            const twin = rows(own.filter(({ i }) => twice[i]))
            return [strandOf(rank, blocks).strand, strandOf(rank, [twin]).strand]
          })
          expect(readAll(strands)).toStrictEqual(all.toSorted(byKey).map(content))
        },
      ),
    )
  })

  it('begin at a key of each series and end before a time', () => {
    const rows = [0, 1, 2, 3, 4].flatMap((time) =>
      [0, 1].map((sequence) => content({ rank: 0, time, sequence })),
    )
    const { strand } = strandOf(0, [rows], { fromTime: 1, fromSequence: 1, toTime: 4 })
    expect(readAll([strand])).toStrictEqual(rows.slice(3, 8))
  })

  it('load a block when it is its turn, and not before', () => {
    const blocks = [0, 1, 2, 3].map((n) =>
      [0, 1, 2].map((i) => content({ rank: 0, time: 3 * n + i, sequence: 0 })),
    )
    const { strand, loaded } = strandOf(0, blocks)
    const runs = mergeRuns([strand])
    runs.next()
    expect(loaded).toEqual([0])
    runs.next()
    expect(loaded).toEqual([0, 1])
  })

  it('stop where two files hold different ticks under one key', () => {
    const [a, b] = [1, 2].map((bid) => strandOf(0, [[row({ time: 5, bid })]]).strand)
    expect(() => readAll([a!, b!])).toThrow(expect.objectContaining({ code: 'TICKS_DAMAGED' }))
  })
})

describe('a batch', () => {
  it('gives back any ticks', () => {
    const any = fc.array(fc.tuple(anyTick, fc.nat(3)).map(([one, n]) => ({ ...one, symbol: `S${n}` })))
    fc.assert(
      fc.property(any, (ticks) => {
        expect(ticksOf(batchOf(ticks))).toStrictEqual(ticks)
      }),
    )
  })

  it('refuses what columns would cut off', () => {
    expect(() => batchOf([tick({ sequence: -1 })])).toThrow(
      expect.objectContaining({ code: 'PAYLOAD_INVALID' }),
    )
  })

  it('goes to another thread as it is', () => {
    const batch = batchOf([tick(), tick({ bidSize: 5 })])
    const there = structuredClone(batch, { transfer: transferablesOf(batch) })
    expect(ticksOf(there)).toStrictEqual([tick(), tick({ bidSize: 5 })])
    expect(batch.bid.length).toBe(0)
  })

  it('is split by day and series, in the order of arrival; brokers do not make a series', () => {
    const ticks = [
      tick({ time: NOON + DAY_MS, bid: 1 }),
      tick({ source: 'b', bid: 2 }),
      tick({ bid: 3, broker: 'x' }),
      tick({ symbol: 'BTC', bid: 4 }),
      tick({ bid: 5, broker: 'y' }),
    ]
    const { columns, days } = partsOf(batchOf(ticks))
    const told = days.map(({ day, series }) => ({
      day: day - Math.floor(NOON / DAY_MS),
      series: series.map(({ symbol, source, from, to }) => [
        symbol,
        source,
        ...rowsOf(columns, from, to).map(({ bid, broker }) => `${bid}${broker}`),
      ]),
    }))
    expect(told).toEqual([
      {
        day: 0,
        series: [
          ['EURUSD', 'b', '2'],
          ['EURUSD', 'YOFX', '3x', '5y'],
          ['BTC', 'YOFX', '4'],
        ],
      },
      { day: 1, series: [['EURUSD', 'YOFX', '1']] },
    ])
  })
})
