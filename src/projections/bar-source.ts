// The keys of candles, from SQL. What has changed is read again and replaced as a range, so that a growing bar of a set
// of 30,000 costs one bar. All of a large store takes minutes, so the stream is followed between one series and the next:
// behind it, it would be trimmed.
import type { Bus, Entry } from '../bus/index.ts'
import { type CandleChange, candlesChanged, projections } from '../catalog/index.ts'
import { type BarChange, type BarWriterOptions, openBarWriter } from './bar-writer.ts'
import { openFollower } from './follow.ts'
import type { ProjectionSource } from './source.ts'

export interface BarSourceOptions extends BarWriterOptions {
  readonly bus: Pick<Bus, 'readBack'>
}

const LOOK_MS = 500
const LIST_EVERY_MS = projections.tickerList.lifetimeMs / 3

export function openBarSource(options: BarSourceOptions): ProjectionSource {
  const { bus, clock } = options
  const bars = openBarWriter(options)
  return {
    name: 'candles',
    async rebuild(signal) {
      const all = await bars.series()
      await bars.writeList()
      for (const series of all) {
        if (signal.aborted) return false
        await bars.writeWhole(series)
      }
      return true
    },
    async keep(signal) {
      const follower = openFollower(bus, candlesChanged, clock)
      let pending = await bars.series()
      let listedAt = Number.NEGATIVE_INFINITY
      while (!signal.aborted) {
        const { entries, missed } = await follower.next(signal)
        if (missed) pending = await bars.series()
        const isNew = await bars.writeChanges(changesOf(entries))
        const until = clock.monotonic() + LOOK_MS
        while (pending.length > 0 && clock.monotonic() < until) await bars.writeWhole(pending.shift()!)
        await bars.writeDueHistories()
        if (isNew || missed || clock.monotonic() - listedAt >= LIST_EVERY_MS) {
          await bars.writeList()
          listedAt = clock.monotonic()
        }
        if (pending.length === 0) await clock.sleep(LOOK_MS, signal)
      }
    },
  }
}

function changesOf(entries: readonly Entry<CandleChange>[]): BarChange[] {
  const changes = new Map<string, BarChange>()
  for (const { data } of entries) {
    const { source, ticker, ranges } = data
    for (const { interval, from, to } of ranges) {
      const name = `${source}\n${ticker}\n${interval}`
      const known = changes.get(name) ?? { key: { source, ticker, interval }, from, to }
      changes.set(name, known)
      known.from = Math.min(known.from, from)
      known.to = Math.max(known.to, to)
    }
  }
  return [...changes.values()]
}
