// The CSV files follow the database. What has changed is collected from a batch of messages and written once, because a
// file is replaced as a whole; and what is written is what the database has now, so that repetitions and the order of
// the messages do not matter.
import type { FoldOptions } from '../bus/index.ts'
import { type CandleChange, candlesChanged } from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import type { CandleStore, Interval } from './candle.ts'
import type { CandleEmitter } from './events.ts'
import { settleAll } from './keep-settled.ts'

export interface ProjectorOptions {
  readonly clock: Clock
  readonly events: CandleEmitter
  readonly from: Pick<CandleStore, 'range'>
  readonly into: Pick<CandleStore, 'write' | 'purge'>
  /** Runs the work in the phases in which the files are written; what changes in others is copied when one begins. */
  readonly writeLegacy: (work: () => Promise<void>) => Promise<unknown>
}

interface Dirty {
  readonly source: string
  readonly ticker: string
  readonly ranges: Partial<Record<Interval, { from: number; to: number }>>
  readonly purged: Interval[]
}

/** What the files do not have yet, by source and ticker. JSON. */
export type ProjectorState = Record<string, Dirty>

/** Bars that are read and written at once. */
const WINDOW = 20_000

/** Group `csv`. A file that cannot be written although the disk can is told and left to the comparison of the stores. */
export const projectCsv = (options: ProjectorOptions): FoldOptions<CandleChange, ProjectorState> => ({
  stream: candlesChanged,
  group: 'csv',
  start: () => ({}),
  apply(state, { data }) {
    collect(state, data)
    return { events: [] }
  },
  save: (state) => JSON.stringify(state),
  load: (saved) => JSON.parse(saved) as ProjectorState,
  settle: settleAll<Dirty>({
    clock: options.clock,
    async write(all, signal) {
      await options.writeLegacy(async () => {
        for (const dirty of all) await project(dirty, options, signal)
      })
    },
    onDelay: (reason) => options.events.emit('delayed', { where: 'files', reason }),
    onRefused: ({ source, ticker }, reason) => options.events.emit('unkept', { source, ticker, reason }),
  }),
})

function collect(state: ProjectorState, { source, ticker, ranges, kind }: CandleChange): void {
  const name = `${source}|${ticker}`
  const dirty = state[name] ?? { source, ticker, ranges: {}, purged: [] }
  state[name] = dirty
  for (const { interval, from, to } of ranges) {
    const known = dirty.ranges[interval]
    dirty.ranges[interval] = {
      from: Math.min(from, known?.from ?? from),
      to: Math.max(to, known?.to ?? to),
    }
    if (kind === 'purged' && !dirty.purged.includes(interval)) dirty.purged.push(interval)
  }
}

/** Ends early when the partition is lost: a former owner must not write files beside its successor. */
async function project(
  { source, ticker, ranges, purged }: Dirty,
  { from: stored, into, events, clock }: ProjectorOptions,
  signal: AbortSignal,
): Promise<void> {
  const beganAt = clock.monotonic()
  let written = 0
  if (purged.length > 0) await into.purge(source, ticker, purged)
  for (const [interval, { from, to }] of Object.entries(ranges) as [
    Interval,
    { from: number; to: number },
  ][]) {
    for (let at = from; at <= to && !signal.aborted; ) {
      const end = windowEnd(interval, at)
      const key = { source, ticker, interval }
      const bars = await stored.range({ ...key, from: at, to: Math.min(end, to + 1) })
      if (bars.length > 0 && !signal.aborted) await into.write(bars)
      written += bars.length
      at = end
    }
  }
  events.emit('projected', { bars: written, tookMs: clock.monotonic() - beganAt })
}

/** Where a window of at most so many bars ends. */
function windowEnd(interval: Interval, from: number): number {
  const begin = bucketOf(interval, from)
  return begin + (bucketEnd(interval, from) - begin) * WINDOW
}
