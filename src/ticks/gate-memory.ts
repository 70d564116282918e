// What the gate remembers of each series: the symbol and source of ticks come from outside, so their number is bounded.
import type { Tick } from './tick.ts'

/** The level that a jump starts from. */
export interface Level {
  /** ms UTC. */
  readonly time: number
  readonly mid: number
}

export interface GateSeries<T> {
  /** The newest that was neither refused by itself nor a repetition. */
  last: Tick
  /** Of the newest accepted. */
  base: Level
  /** A jump and what agreed with it so far, in the order in which they came. */
  readonly held: T[]
}

export interface SeriesMemory<T> {
  /** Undefined for one that is not known. */
  of(tick: T): GateSeries<T> | undefined
  /** Answers those that were forgotten to make room for it. */
  begin(series: GateSeries<T>): GateSeries<T>[]
  /** Those that were silent for longest come first. */
  all(): GateSeries<T>[]
}

// Sorting by age costs; room is made for many at once.
const FORGET_SHARE = 8

export function openSeriesMemory<T extends Tick>(
  seriesMax: number,
  saved: readonly GateSeries<T>[],
): SeriesMemory<T> {
  const known = new Map<string, { series: GateSeries<T>; seen: number }>()
  let seen = 0
  const byAge = () => [...known].sort(([, a], [, b]) => a.seen - b.seen)
  const makeRoom = () => {
    const oldest = byAge().slice(0, Math.ceil(seriesMax / FORGET_SHARE))
    for (const [name] of oldest) known.delete(name)
    return oldest.map(([, { series }]) => series)
  }
  const begin = (series: GateSeries<T>) => {
    const forgotten = known.size < seriesMax ? [] : makeRoom()
    known.set(nameOf(series.last), { series, seen: ++seen })
    return forgotten
  }
  for (const series of saved) begin({ ...series, held: [...series.held] })
  return {
    of(tick) {
      const found = known.get(nameOf(tick))
      if (found) found.seen = ++seen
      return found?.series
    },
    begin,
    all: () => byAge().map(([, { series }]) => series),
  }
}

// Names of ticks hold no control characters.
const nameOf = ({ symbol, source }: Tick) => `${symbol}\0${source}`
