// Ticks of one UTC day out of the files that may hold it, reading no more segments than the answer needs.
import type { JsonFile, Seen } from './json-file.ts'
import type { Segment } from './json-index.ts'
import { withSequences } from './json-text.ts'
import { compareTicks } from './order.ts'
import type { Tick } from './tick.ts'

/** A file and what is known of it. */
export interface Place extends Pick<Seen, 'index' | 'inode'> {
  readonly file: JsonFile
}

export interface Wanted {
  /** ms; the end is exclusive. */
  readonly from: number
  readonly to: number
  isWanted(tick: Tick): boolean
  /** At most this many: the first, or the newest. */
  readonly limit?: number | undefined
  readonly newest?: boolean
}

interface Part {
  readonly place: Place
  readonly segment: Segment
  ticks: readonly Tick[] | undefined
}

/**
 * In order. The files are given in the order of their days. Undefined when one of them was replaced since it was looked
 * at.
 */
export async function readPlaces(places: readonly Place[], wanted: Wanted): Promise<Tick[] | undefined> {
  const { from, to, limit = Number.POSITIVE_INFINITY, newest = false } = wanted
  const parts = places.flatMap((place) =>
    place.index.segments
      .filter(({ min, max }) => max >= from && min < to)
      .map((segment): Part => ({ place, segment, ticks: undefined })),
  )
  // The parts in the order in which they can add to the answer, and what they cannot go beyond.
  const queue = parts.toSorted((a, b) =>
    newest ? b.segment.max - a.segment.max : a.segment.min - b.segment.min,
  )
  for (let [read, next] = [0, limit === Number.POSITIVE_INFINITY ? queue.length : 1]; ; next = read * 2) {
    if (!(await readParts(queue.slice(read, next)))) return undefined
    read = Math.min(next, queue.length)
    const bound = queue[read]?.segment
    const isCertain = ({ time }: Tick) => !bound || (newest ? time > bound.max : time < bound.min)
    const found = withSequences(parts.flatMap(({ ticks }) => ticks ?? [])).filter(
      (tick) => tick.time >= from && tick.time < to && isCertain(tick) && wanted.isWanted(tick),
    )
    if (bound && found.length < limit) continue
    found.sort(compareTicks)
    if (found.length <= limit) return found
    return newest ? found.slice(found.length - limit) : found.slice(0, limit)
  }
}

/** False when a file is another one by now. */
async function readParts(parts: readonly Part[]): Promise<boolean> {
  for (const part of parts) {
    const { file, inode } = part.place
    part.ticks = await file.read(inode, [part.segment])
    if (!part.ticks) return false
  }
  return true
}

/** What is kept at any of these times (ms). Only under the lock of the folder, where no file is replaced. */
export async function readTimes(
  places: readonly Place[],
  times: readonly number[],
): Promise<readonly Tick[]> {
  if (times.length === 0) return []
  const sorted = [...new Set(times)].sort((a, b) => a - b)
  const asked = new Set(sorted)
  const holdsAny = ({ min, max }: Segment) =>
    (sorted[firstFrom(sorted, min)] ?? Number.POSITIVE_INFINITY) <= max
  const found: Tick[] = []
  for (const { file, index, inode } of places) {
    const ticks = await file.read(inode, index.segments.filter(holdsAny), ({ time }) => asked.has(time))
    for (const tick of ticks!) found.push(tick)
  }
  return withSequences(found)
}

/** The place of the first that is not below. */
function firstFrom(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
