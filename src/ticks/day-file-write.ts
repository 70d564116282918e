// Writes the ticks of a day into its file: every series that has some gets a block more. What is newer than the head of
// its series, as nearly everything is, goes there without a look at what is kept.

import { lowerBound, type TickColumns } from './columns.ts'
import { compactSeries } from './compact.ts'
import type { DayFile, SeriesRow } from './day-file.ts'
import { addSeries, addTicks, saveSeries } from './day-file-changes.ts'
import type { SeriesPart } from './day-file-parts.ts'
import { type Head, type Kept, type Placed, placeTicks } from './day-file-place.ts'
import type { Written } from './tick.ts'

const NO_HEAD: Head = { time: -1, sequence: -1 }

// Of each tick written, and at least: series that need merging at the same time take turns, so that no write takes
// much longer than another.
const MERGED_A_TICK = 4
const MERGED_MIN = 16_384

export interface OpenDay {
  readonly open: DayFile
  /** What is kept of the day elsewhere. */
  readonly archive: DayFile | undefined
}

/** Within a transaction on the open file. */
export function writeParts(
  { open: file, archive }: OpenDay,
  columns: TickColumns,
  series: readonly SeriesPart[],
): Written {
  let stored = 0
  let duplicate = 0
  let mergeable = MERGED_MIN
  for (const part of series) {
    const row = file.series(part.symbol, part.source)[0]
    const past = archive?.series(part.symbol, part.source)[0]
    const kept: Kept[] = []
    if (row) kept.push({ file, row })
    if (archive && past) kept.push({ file: archive, row: past })
    const head = newestOf(kept)
    const placed = place(columns, part, head, kept)
    duplicate += placed.duplicate
    if (placed.to === placed.from) continue
    const target = row ?? addSeries(file, { ...part, shared: 0 })
    addBehind(file, target, placed, head)
    stored += placed.to - placed.from
    mergeable += MERGED_A_TICK * (placed.to - placed.from)
    if (mergeable > 0) mergeable -= compactSeries(file, target)
    saveSeries(file, target)
  }
  return { stored, duplicate }
}

function newestOf(kept: readonly Kept[]): Head {
  let head = NO_HEAD
  for (const { row } of kept) {
    if ((row.headTime - head.time || row.headSequence - head.sequence) > 0) {
      head = { time: row.headTime, sequence: row.headSequence }
    }
  }
  return head
}

interface Fresh {
  readonly columns: TickColumns
  readonly from: number
  readonly to: number
  readonly duplicate: number
}

function place(columns: TickColumns, part: SeriesPart, head: Head, kept: readonly Kept[]): Fresh {
  const { from, to } = part
  if (isRising(columns, from, to, head)) return { columns, from, to, duplicate: 0 }
  const { fresh, duplicate }: Placed = placeTicks(columns, from, to, head, kept)
  return { columns: fresh, from: 0, to: fresh.count, duplicate }
}

/** Each tick comes behind the one before, the first behind the head. */
function isRising({ time, sequence }: TickColumns, from: number, to: number, head: Head): boolean {
  let [lastTime, lastSequence] = [head.time, head.sequence]
  for (let i = from; i < to; i++) {
    if ((time[i]! - lastTime || sequence[i]! - lastSequence) <= 0) return false
    lastTime = time[i]!
    lastSequence = sequence[i]!
  }
  return true
}

/** Late ticks get a block of their own: one that held both would lie across all that came in between. */
function addBehind(file: DayFile, row: SeriesRow, { columns, from, to }: Fresh, head: Head): void {
  const isLate = (columns.time[from]! - head.time || columns.sequence[from]! - head.sequence) <= 0
  // Late ticks were placed and sorted, so they have columns of their own.
  const ahead = isLate ? lowerBound(columns, head.time, head.sequence + 1, from) : from
  if (from < ahead) addTicks(file, row, columns, from, ahead)
  if (ahead < to) addTicks(file, row, columns, ahead, to)
}
