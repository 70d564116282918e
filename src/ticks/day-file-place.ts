// Where ticks go that are not newer than everything: one that is there already is a duplicate, one whose place is taken
// by other content gets the next free sequence.
import {
  appendTick,
  lowerBound,
  type OpenColumns,
  openColumns,
  sameContent,
  type TickColumns,
} from './columns.ts'
import type { DayFile, SeriesRow } from './day-file.ts'

/** A tick, where it lies. */
export interface Taken {
  readonly columns: TickColumns
  readonly index: number
}

/** A file of the day, and the series in it. */
export interface Kept {
  readonly file: DayFile
  readonly row: SeriesRow
}

/** The newest key of a series; below all others where there is none. */
export interface Head {
  readonly time: number
  readonly sequence: number
}

export interface Placed {
  /** Sorted. */
  readonly fresh: TickColumns
  readonly duplicate: number
}

/** Ticks `from` to `to`, in the order in which they came. */
export function placeTicks(
  given: TickColumns,
  from: number,
  to: number,
  head: Head,
  kept: readonly Kept[],
): Placed {
  const taken = findTaken(lateTimes(given, from, to, head), kept)
  const fresh = openColumns(to - from)
  let duplicate = 0
  for (let i = from; i < to; i++) {
    const together = taken.get(given.time[i]!)
    const sequence = together ? freeSequence(together, given, i) : given.sequence[i]!
    if (sequence === undefined) {
      duplicate++
      continue
    }
    const index = fresh.count
    appendTick(fresh, given, i)
    fresh.sequence[index] = sequence
    together?.set(sequence, { columns: fresh, index })
  }
  return { fresh: inOrder(fresh), duplicate }
}

function freeSequence(
  together: ReadonlyMap<number, Taken>,
  given: TickColumns,
  i: number,
): number | undefined {
  let sequence = given.sequence[i]!
  for (let other = together.get(sequence); other; other = together.get(++sequence)) {
    if (sameContent(other.columns, other.index, given, i)) return undefined
  }
  return sequence
}

/** Times at which a tick came that is not behind all before it: only there can something be in its place. */
function lateTimes(given: TickColumns, from: number, to: number, head: Head): number[] {
  const times = new Set<number>()
  let { time, sequence } = head
  for (let i = from; i < to; i++) {
    const [at, number] = [given.time[i]!, given.sequence[i]!]
    if ((at - time || number - sequence) > 0) {
      time = at
      sequence = number
    } else times.add(at)
  }
  return [...times].sort((a, b) => a - b)
}

/** What is kept at any of the times, which rise; by time and sequence. */
export function findTaken(times: readonly number[], kept: readonly Kept[]): Map<number, Map<number, Taken>> {
  const taken = new Map(times.map((time) => [time, new Map<number, Taken>()]))
  if (times.length === 0) return taken
  for (const { file, row } of kept) {
    for (const place of file.places(row.id, times[0]!, times.at(-1)!)) {
      let at = firstFrom(times, place.first)
      if (!(times[at]! <= place.last)) continue
      const columns = file.load(place)
      for (; at < times.length && times[at]! <= place.last; at++) {
        const time = times[at]!
        for (let i = lowerBound(columns, time, 0); i < columns.count && columns.time[i] === time; i++) {
          taken.get(time)!.set(columns.sequence[i]!, { columns, index: i })
        }
      }
    }
  }
  return taken
}

function firstFrom(times: readonly number[], time: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (times[middle]! < time) low = middle + 1
    else high = middle
  }
  return low
}

export function inOrder(columns: OpenColumns): TickColumns {
  const { time, sequence, count } = columns
  const compare = (a: number, b: number) => time[a]! - time[b]! || sequence[a]! - sequence[b]!
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  if (order.every((i) => i === 0 || compare(i - 1, i) < 0)) return columns
  order.sort(compare)
  const target = openColumns(count)
  for (const i of order) appendTick(target, columns, i)
  return target
}
