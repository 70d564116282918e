// A batch in the order in which files take it: by day, and within a day by series, as sorted as it came.
import type { TickBatch } from './batch.ts'
import { brokerIndex, copyRow, type OpenColumns, openColumns } from './columns.ts'

/** Ticks of one symbol and source: `from` to `to` of the columns, in the order in which they came. */
export interface SeriesPart {
  readonly symbol: string
  readonly source: string
  readonly from: number
  readonly to: number
}

export interface DayPart {
  readonly day: number
  readonly series: readonly SeriesPart[]
}

export interface BatchParts {
  readonly columns: OpenColumns
  readonly days: readonly DayPart[]
}

interface Group {
  readonly day: number
  readonly symbol: string
  readonly source: string
  count: number
  at: number
}

export function partsOf(batch: TickBatch): BatchParts {
  const groups: Group[] = []
  const groupOf = assignGroups(batch, groups)
  const ordered = groups.toSorted((a, b) => a.day - b.day)
  const days: { day: number; series: SeriesPart[] }[] = []
  let from = 0
  for (const group of ordered) {
    group.at = from
    const { day, symbol, source, count } = group
    if (days.at(-1)?.day !== day) days.push({ day, series: [] })
    days.at(-1)!.series.push({ symbol, source, from, to: from + count })
    from += count
  }
  const columns = openColumns(batch.count)
  columns.count = batch.count
  const brokers = batch.series.map(({ broker }) => brokerIndex(columns, broker))
  for (let i = 0; i < batch.count; i++) {
    const at = groups[groupOf[i]!]!.at++
    columns.time[at] = batch.nanosOfDay[i]!
    copyRow(columns, at, batch, i)
    columns.broker[at] = brokers[batch.seriesOf[i]!]!
  }
  return { columns, days }
}

/** Which group each tick is in; brokers do not make a series. */
function assignGroups(batch: TickBatch, groups: Group[]): Uint32Array {
  const known = new Map<string, number>()
  const seriesOf = batch.series.map(({ symbol, source }) => {
    const key = `${symbol}\n${source}`
    if (!known.has(key)) known.set(key, known.size)
    return known.get(key)!
  })
  const byDay = new Map<number, number[]>()
  const groupOf = new Uint32Array(batch.count)
  let day = Number.NaN
  let ofDay: number[] = []
  for (let i = 0; i < batch.count; i++) {
    if (batch.day[i] !== day) {
      day = batch.day[i]!
      ofDay = byDay.get(day) ?? []
      byDay.set(day, ofDay)
    }
    const series = seriesOf[batch.seriesOf[i]!]!
    let group = ofDay[series]
    if (group === undefined) {
      const { symbol, source } = batch.series[batch.seriesOf[i]!]!
      group = groups.push({ day, symbol, source, count: 0, at: 0 }) - 1
      ofDay[series] = group
    }
    groups[group]!.count++
    groupOf[i] = group
  }
  return groupOf
}
