// One day's answers, from its open file, its archive, or both. Each call sees one moment of the open file.
import type { DayFile, SeriesRow } from './day-file.ts'
import { DAY_MS, DAY_NS, dayName, NS_A_MS } from './day-name.ts'
import type { DayFiles } from './folder-days.ts'
import { compareText } from './order.ts'
import { mergeRuns, type Run, type Strand } from './read-runs.ts'
import { inFile } from './sqlite-failures.ts'
import type { Tick, TickCursor, TickSeries } from './tick.ts'

export interface DayQuery {
  readonly symbol: string
  readonly source: string | undefined
  /** ms UTC; `to` is exclusive. */
  readonly from: number
  readonly to: number
  readonly after: TickCursor | undefined
}

/**
 * Adds ticks of the day to `out`: up to `limit`, or less when `pause` of them end a block. True when there are no more
 * of them.
 */
export function readRange(
  files: DayFiles,
  day: number,
  query: DayQuery,
  out: Tick[],
  { limit, pause }: { limit: number; pause: number },
): boolean {
  return inSnapshot(files, () => {
    const { sources, strands } = strandsOf(files, day, query)
    const end = out.length + limit
    const rest = out.length + pause
    for (const run of mergeRuns(strands)) {
      const to = Math.min(run.to, run.from + end - out.length)
      pushTicks(out, { ...run, to }, day, query.symbol, sources[run.rank]!)
      if (out.length >= end || (out.length >= rest && to === run.columns.count)) return false
    }
    return true
  })
}

// Blocks that are looked at beside those of a few ticks: more than a call needs when they are not small.
const NEWEST_BLOCKS = 16

/** The newest `count` of the day, oldest first. */
export function readRecent(
  files: DayFiles,
  day: number,
  { symbol, source, count }: { symbol: string; source: string | undefined; count: number },
): Tick[] {
  return inSnapshot(files, () => {
    const rows = rowsOf(files, symbol, source)
    for (let wanted = count; ; wanted *= 2) {
      const fromTime = timeOfNewest(rows, wanted)
      const query = {
        symbol,
        source,
        from: day * DAY_MS + Math.floor(fromTime / NS_A_MS),
        to: (day + 1) * DAY_MS,
      }
      const { sources, strands } = strandsOf(files, day, { ...query, after: undefined })
      const runs = [...mergeRuns(strands)]
      let left = runs.reduce((sum, { from, to }) => sum + to - from, 0) - count
      // What lies in both files was counted twice.
      if (left < 0 && fromTime > 0) continue
      const out: Tick[] = []
      for (const run of runs) {
        const skipped = Math.min(Math.max(left, 0), run.to - run.from)
        left -= skipped
        pushTicks(out, { ...run, from: run.from + skipped }, day, symbol, sources[run.rank]!)
      }
      return out
    }
  })
}

interface RowOf {
  readonly file: DayFile
  readonly row: SeriesRow
}

const rowsOf = ({ open, archive }: DayFiles, symbol: string, source?: string): RowOf[] =>
  [open, archive].flatMap((file) => file?.series(symbol, source).map((row) => ({ file, row })) ?? [])

/** A time from which on there are at least `count` ticks, not much before the newest of them; 0 when there are less. */
function timeOfNewest(rows: readonly RowOf[], count: number): number {
  for (let times = 1; ; times *= 8) {
    let isCut = false
    const places = rows.flatMap(({ file, row }) => {
      const limit = times * (Math.min(row.few, count) + NEWEST_BLOCKS)
      const newest = file.newestPlaces(row.id, limit)
      isCut ||= newest.length === limit
      return newest
    })
    let found = 0
    for (const place of places.sort((a, b) => b.first - a.first)) {
      found += place.count
      if (found >= count) return place.first
    }
    if (!isCut) return 0
  }
}

function strandsOf(files: DayFiles, day: number, query: DayQuery): { sources: string[]; strands: Strand[] } {
  const rows = rowsOf(files, query.symbol, query.source)
  const sources = [...new Set(rows.map(({ row }) => row.source))].sort(compareText)
  const toTime = nanosOfDay(query.to, day)
  const strands = rows.map(({ file, row }): Strand => {
    const begin = beginOf(query, day, row.source)
    const places = file.places(row.id, begin.fromTime, toTime - 1)
    return { rank: sources.indexOf(row.source), places, load: file.load, ...begin, toTime }
  })
  return { sources, strands }
}

const nanosOfDay = (time: number, day: number): number =>
  Math.min(Math.max(0, time - day * DAY_MS) * NS_A_MS, DAY_NS)

/** The first key of a source that is in question. */
function beginOf(
  { from, after }: DayQuery,
  day: number,
  source: string,
): Pick<Strand, 'fromTime' | 'fromSequence'> {
  const fromTime = nanosOfDay(from, day)
  if (!after || after.time < day * DAY_MS) return { fromTime, fromSequence: 0 }
  const behind = nanosOfDay(after.time, day) + after.nanos
  if (behind < fromTime) return { fromTime, fromSequence: 0 }
  const order = compareText(source, after.source)
  if (order === 0) return { fromTime: behind, fromSequence: after.sequence + 1 }
  return { fromTime: behind, fromSequence: order > 0 ? 0 : Number.POSITIVE_INFINITY }
}

function pushTicks(
  out: Tick[],
  { columns, from, to }: Run,
  day: number,
  symbol: string,
  source: string,
): void {
  const { time, sequence, bid, ask, bidSize, askSize, volume, flags, broker, brokers } = columns
  const dayStart = day * DAY_MS
  for (let i = from; i < to; i++) {
    const msOfDay = Math.floor(time[i]! / NS_A_MS)
    const bids = bidSize[i]!
    const asks = askSize[i]!
    out.push({
      symbol,
      source,
      time: dayStart + msOfDay,
      // As an integer for the engine, which would give each its own object on the heap otherwise.
      nanos: (time[i]! - msOfDay * NS_A_MS) | 0,
      sequence: sequence[i]!,
      bid: bid[i]!,
      ask: ask[i]!,
      bidSize: Number.isNaN(bids) ? undefined : bids,
      askSize: Number.isNaN(asks) ? undefined : asks,
      volume: volume[i]!,
      flags: flags[i]!,
      broker: brokers[broker[i]!]!,
    })
  }
}

/** Ordered by (symbol, source). */
export function readSeries(files: DayFiles, day: number): TickSeries[] {
  const { open, archive } = files
  return inSnapshot(files, () => {
    const past = new Map(archive?.allSeries().map((row) => [keyOf(row), row]))
    const both = (open?.allSeries() ?? []).map((row): SeriesRow => {
      const other = past.get(keyOf(row))
      past.delete(keyOf(row))
      return other ? joined(row, other, inBoth(files, row, other)) : row
    })
    return [...both, ...past.values()]
      .sort((a, b) => compareText(a.symbol, b.symbol) || compareText(a.source, b.source))
      .map(({ symbol, source, ticks, first, headTime }) => ({
        day: dayName(day),
        symbol,
        source,
        ticks,
        first: day * DAY_MS + Math.floor(first / NS_A_MS),
        last: day * DAY_MS + Math.floor(headTime / NS_A_MS),
      }))
  })
}

const keyOf = ({ symbol, source }: SeriesRow): string => `${symbol}\n${source}`

/** Where one file was made from the other and that is still there, what it took over is in both. */
function inBoth({ open, archive }: DayFiles, row: SeriesRow, other: SeriesRow): number {
  if (open && archive?.source === open.id) return other.shared
  return archive && open?.source === archive.id ? row.shared : 0
}

const joined = (a: SeriesRow, b: SeriesRow, shared: number): SeriesRow => ({
  ...a,
  ticks: a.ticks + b.ticks - shared,
  first: Math.min(a.first, b.first),
  headTime: Math.max(a.headTime, b.headTime),
})

/** All that is read of the open file is of one moment; an archive does not change. */
function inSnapshot<T>({ open }: DayFiles, work: () => T): T {
  if (!open) return work()
  return inFile(open.path, () => {
    open.statement('begin').run()
    try {
      return work()
    } finally {
      open.statement('commit').run()
    }
  })
}
