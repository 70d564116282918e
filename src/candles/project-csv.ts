// The CSV files follow the database: told that bars have changed, the projector reads what is stored now and writes that,
// so the order and the number of the messages do not matter.
import { type Bus, RetryAfter } from '../bus/index.ts'
import { type CandleChange, candlesChanged } from '../catalog/index.ts'
import type { Clock, Task } from '../kernel/index.ts'
import { bucketEnd, bucketOf } from './bucket.ts'
import type { BarKey, CandleStore } from './candle.ts'
import type { CandleEmitter } from './events.ts'

export interface ProjectorOptions {
  readonly bus: Bus
  readonly clock: Clock
  readonly events: CandleEmitter
  readonly from: Pick<CandleStore, 'range'>
  readonly into: Pick<CandleStore, 'write' | 'purge'>
  /** Whether the files are written in the phase of the moment. What changes meanwhile is copied by the next `dual`. */
  readonly writesLegacy: () => boolean
}

/** Bars that are read and written at once. */
const WINDOW = 5_000

export const projectCsv = (options: ProjectorOptions): Task =>
  options.bus.consume({
    stream: candlesChanged,
    group: 'csv',
    order: 'key',
    // Files of different tickers; more at once only compete for the disk.
    concurrency: 4,
    async handle({ data }, { signal, progress }) {
      if (!options.writesLegacy()) return
      const beganAt = options.clock.monotonic()
      const bars = await project(data, options, () => {
        // A former owner must not write files beside its successor.
        if (signal.aborted) throw new RetryAfter(0, 'the partition belongs to another')
        progress()
      })
      options.events.emit('projected', { bars, tookMs: options.clock.monotonic() - beganAt })
    },
  })

async function project(
  { source, ticker, ranges, kind }: CandleChange,
  { from: stored, into }: ProjectorOptions,
  goOn: () => void,
): Promise<number> {
  let written = 0
  if (kind === 'purged') {
    const intervals = ranges.map(({ interval }) => interval)
    await into.purge(source, ticker, intervals)
  }
  for (const { interval, from, to } of ranges) {
    const key: BarKey = { source, ticker, interval }
    for (let at = from; at <= to; ) {
      const end = windowEnd(key, at)
      const bars = await stored.range({ ...key, from: at, to: Math.min(end, to + 1) })
      goOn()
      if (bars.length > 0) await into.write(bars)
      written += bars.length
      at = end
    }
  }
  return written
}

/** Where a window of at most so many bars ends. */
function windowEnd({ interval }: BarKey, from: number): number {
  const begin = bucketOf(interval, from)
  return begin + (bucketEnd(interval, from) - begin) * WINDOW
}
