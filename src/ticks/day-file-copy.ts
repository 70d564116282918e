// Writes what another store has of a day. Two stores that began at different moments may have put ticks of one time into
// another order; these are taken out and laid out as the other store has them.
import { SluiceError } from '../kernel/index.ts'
import { appendTick, type OpenColumns, openColumns, sameContent, type TickColumns } from './columns.ts'
import type { DayFile, SeriesRow } from './day-file.ts'
import { addBlock, removeBlock, saveSeries } from './day-file-changes.ts'
import type { SeriesPart } from './day-file-parts.ts'
import { findTaken, inOrder, type Kept, type Taken } from './day-file-place.ts'
import { type OpenDay, writeParts } from './day-file-write.ts'
import type { Written } from './tick.ts'

const rising = (a: number, b: number): number => a - b

/** See `CopyableTicks`. Within a transaction on the open file. */
export function copyParts(day: OpenDay, columns: TickColumns, series: readonly SeriesPart[]): Written {
  let stored = 0
  let duplicate = 0
  for (const part of series) {
    const copied = copyPart(day, columns, part)
    stored += copied.stored
    duplicate += copied.duplicate
  }
  return { stored, duplicate }
}

function copyPart(day: OpenDay, columns: TickColumns, part: SeriesPart): Written {
  const row = day.open.series(part.symbol, part.source)[0]
  const times = timesLaidOtherwise(day, row, columns, part)
  if (times.size === 0 || !row) return writeParts(day, columns, [part])
  const gone = removeTimes(day.open, row, times)
  const { stored, duplicate } = writeParts(day, columns, [part])
  const only = onlyHere(gone, columns, part)
  if (only.count > 0) writeParts(day, only, [{ ...part, from: 0, to: only.count }])
  const wasThere = contentsOf(gone, 0, gone.count)
  let there = 0
  for (let i = part.from; i < part.to; i++) if (wasThere(columns, i)) there++
  return { stored: stored - there, duplicate: duplicate + there }
}

/**
 * At which the two stores do not agree: other content in one place, or one content in two places. Throws TICKS_ARCHIVED
 * where that lies in an archive.
 */
function timesLaidOtherwise(
  { open, archive }: OpenDay,
  row: SeriesRow | undefined,
  columns: TickColumns,
  { symbol, source, from, to }: SeriesPart,
): ReadonlySet<number> {
  const past = archive?.series(symbol, source)[0]
  const ours: Kept[] = row ? [{ file: open, row }] : []
  const archived: Kept[] = archive && past ? [{ file: archive, row: past }] : []
  if (ours.length + archived.length === 0) return new Set()
  const groups = groupsOf(columns, from, to)
  const taken = findTaken([...groups.keys()].sort(rising), [...ours, ...archived])
  const isAgreed = (time: number, sequence: number, { columns: kept, index }: Taken) => {
    const group = groups.get(time)!
    const other = group.find((i) => columns.sequence[i] === sequence)
    if (other !== undefined) return sameContent(columns, other, kept, index)
    return !group.some((i) => sameContent(columns, i, kept, index))
  }
  const times = new Set<number>()
  for (const [time, kept] of taken) {
    for (const [sequence, one] of kept) if (!isAgreed(time, sequence, one)) times.add(time)
  }
  if ([...findTaken([...times].sort(rising), archived).values()].some((group) => group.size > 0)) {
    const { path } = archive!
    const message = `${path} has ticks of ${symbol} from ${source} in another order than they are copied in; restore that day.`
    throw new SluiceError('TICKS_ARCHIVED', message, { path, symbol, source })
  }
  return times
}

/** Takes all ticks of these times out of the file, and returns them in their order. */
function removeTimes(file: DayFile, row: SeriesRow, times: ReadonlySet<number>): TickColumns {
  const sorted = [...times].sort(rising)
  const found = [...findTaken(sorted, [{ file, row }]).values()].reduce((sum, { size }) => sum + size, 0)
  const gone = openColumns(found)
  for (const place of file.places(row.id, sorted[0]!, sorted.at(-1)!)) {
    const columns = file.load(place)
    const kept = openColumns(columns.count)
    const before = gone.count
    for (let i = 0; i < columns.count; i++) {
      appendTick(times.has(columns.time[i]!) ? gone : kept, columns, i)
    }
    if (gone.count === before) continue
    if (kept.count > 0) addBlock(file, row, kept, 0, kept.count, false)
    removeBlock(file, row, place)
    row.ticks -= gone.count - before
  }
  setHead(file, row)
  saveSeries(file, row)
  return inOrder(gone)
}

function setHead(file: DayFile, row: SeriesRow): void {
  row.headTime = -1
  row.headSequence = -1
  const [newest] = file.newestPlaces(row.id, 1)
  if (!newest) return
  for (const place of file.places(row.id, newest.last, newest.last)) {
    const columns = file.load(place)
    const last = columns.count - 1
    if (columns.time[last] !== newest.last) continue
    row.headTime = newest.last
    row.headSequence = Math.max(row.headSequence, columns.sequence[last]!)
  }
}

/** The ticks whose content was not copied, each in its place or the next that is free. */
function onlyHere(gone: TickColumns, columns: TickColumns, { from, to }: SeriesPart): OpenColumns {
  const isCopied = contentsOf(columns, from, to)
  const taken = new Set<string>()
  for (let i = from; i < to; i++) taken.add(`${columns.time[i]} ${columns.sequence[i]}`)
  const only = openColumns(gone.count)
  for (let i = 0; i < gone.count; i++) {
    if (isCopied(gone, i)) continue
    let sequence = gone.sequence[i]!
    while (taken.has(`${gone.time[i]} ${sequence}`)) sequence++
    taken.add(`${gone.time[i]} ${sequence}`)
    appendTick(only, gone, i)
    only.sequence[only.count - 1] = sequence
  }
  return only
}

/** Tells whether one of the ticks `from` to `to` has the time and content of another. */
function contentsOf(columns: TickColumns, from: number, to: number) {
  const groups = groupsOf(columns, from, to)
  return (other: TickColumns, j: number): boolean =>
    groups.get(other.time[j]!)?.some((i) => sameContent(columns, i, other, j)) ?? false
}

/** Which of the ticks `from` to `to` share a time. */
function groupsOf({ time }: TickColumns, from: number, to: number): Map<number, number[]> {
  const groups = new Map<number, number[]>()
  for (let i = from; i < to; i++) {
    const group = groups.get(time[i]!)
    if (group) group.push(i)
    else groups.set(time[i]!, [i])
  }
  return groups
}
