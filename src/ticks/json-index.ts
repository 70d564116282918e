// What is remembered of a file so that it need not be read again for each question: which bytes hold which times, and
// the newest ticks of each source. 50 MB of ticks are some 800 segments.
import { DAY_MS, dayName } from './day-name.ts'
import { RUN_BYTES } from './json-scan.ts'
import type { Tick, TickSeries } from './tick.ts'

/** Whole objects side by side, and the ms of their first and last time. */
export interface Segment {
  readonly offset: number
  length: number
  min: number
  max: number
}

/** The newest time of a source and what is kept at it, `UNSAID` as it may be; a tick behind it is new. */
export interface Head {
  readonly time: number
  readonly nanos: number
  readonly together: Tick[]
}

type Counted = { -readonly [K in keyof TickSeries]: TickSeries[K] }

export interface FileIndex {
  /** Behind the last whole object. */
  end: number
  readonly segments: Segment[]
  readonly heads: Map<string, Head>
  /** By day of the ticks: the reference names files by the day at its own place. */
  readonly days: Map<number, Map<string, Counted>>
}

export const emptyIndex = (end: number): FileIndex => ({
  end,
  segments: [],
  heads: new Map(),
  days: new Map(),
})

/** Adds ticks that lie at these bytes, behind all others. */
export function addToIndex(index: FileIndex, ticks: readonly Tick[], offset: number, length: number): void {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const tick of ticks) {
    if (tick.time < min) min = tick.time
    if (tick.time > max) max = tick.time
    addToHead(index, tick)
    addToDay(index, tick)
  }
  index.end = offset + length
  const last = index.segments.at(-1)
  if (!last || index.end - last.offset > RUN_BYTES) {
    index.segments.push({ offset, length, min, max })
    return
  }
  last.length = index.end - last.offset
  last.min = Math.min(last.min, min)
  last.max = Math.max(last.max, max)
}

function addToHead({ heads }: FileIndex, tick: Tick): void {
  const head = heads.get(tick.source)
  const ahead = head ? tick.time - head.time || tick.nanos - head.nanos : 1
  if (ahead < 0) return
  const together = head && ahead === 0 ? head.together : []
  together.push(tick)
  if (ahead > 0) heads.set(tick.source, { time: tick.time, nanos: tick.nanos, together })
}

function addToDay({ days }: FileIndex, { symbol, source, time }: Tick): void {
  const day = Math.floor(time / DAY_MS)
  let sources = days.get(day)
  if (!sources) {
    sources = new Map()
    days.set(day, sources)
  }
  const counted = sources.get(source)
  if (!counted) {
    sources.set(source, { day: dayName(day), symbol, source, ticks: 1, first: time, last: time })
    return
  }
  counted.ticks++
  counted.first = Math.min(counted.first, time)
  counted.last = Math.max(counted.last, time)
}
