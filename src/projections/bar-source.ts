// The keys of candles, from SQL. What has changed is read again and replaced as a range, so that a growing bar of a set
// of 30,000 costs one bar. All of a large store takes minutes, so the stream is followed between one series and the next:
// behind it, it would be trimmed.
import type { Bus, Entry } from '../bus/index.ts'
import type { BarKey } from '../candles/index.ts'
import { type CandleChange, candlesChanged, projections } from '../catalog/index.ts'
import { type Clock, isSluiceError } from '../kernel/index.ts'
import { type BarChange, type BarWriterOptions, openBarWriter, type StoredSeries } from './bar-writer.ts'
import { openFollower } from './follow.ts'
import type { KeepingListener, ProjectionSource } from './source.ts'

export interface BarSourceOptions extends BarWriterOptions {
  readonly bus: Pick<Bus, 'readBack'>
}

const LOOK_MS = 500
const POSTPONED_MS = 10_000
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
    async keep(signal, listener = {}) {
      const follower = openFollower(bus, candlesChanged, clock)
      const backlog = openBacklog(clock)
      const fits = fitting(listener)
      const writeBacklog = async () => {
        const until = clock.monotonic() + LOOK_MS
        for (let next = backlog.next(); next; next = clock.monotonic() < until ? backlog.next() : undefined) {
          const series = next
          if (!(await fits(() => bars.writeWhole(series)))) backlog.postpone(series)
        }
      }
      backlog.set(await bars.series())
      let listedAt = Number.NEGATIVE_INFINITY
      while (!signal.aborted) {
        const { entries, missed } = await follower.next(signal)
        if (missed) backlog.set(await bars.series())
        const known = bars.tickerChanges()
        for (const change of changesOf(entries)) {
          const { key, to: last } = change
          // It is written whole, by and by: what has no room is not read for each of its changes.
          if (backlog.isPostponed(key)) continue
          if (!(await fits(() => bars.writeChange(change)))) backlog.postpone({ key, last })
        }
        await writeBacklog()
        const areWritten = await fits(bars.writeDueHistories)
        const isListDue = clock.monotonic() - listedAt >= LIST_EVERY_MS
        if (missed || isListDue || bars.tickerChanges() > known) {
          if (await fits(bars.writeList)) listedAt = clock.monotonic()
        }
        if (areWritten && backlog.isEmpty()) listener.onCurrent?.()
        if (!backlog.hasNext()) await clock.sleep(LOOK_MS, signal)
      }
    },
  }
}

/** Writes what there is room for; false when there was none. */
const fitting =
  ({ onFull }: KeepingListener) =>
  async (write: () => Promise<void>): Promise<boolean> => {
    try {
      await write()
      return true
    } catch (error) {
      if (!isSluiceError(error, 'REDIS_FULL')) throw error
      onFull?.(error)
      return false
    }
  }

/** Series that are not written whole. One that Redis has no room for waits, behind all others: smaller ones may fit. */
function openBacklog(clock: Clock) {
  let waiting: StoredSeries[] = []
  const postponed = new Map<string, StoredSeries>()
  let postponedAt = Number.NEGATIVE_INFINITY
  const hasNext = () =>
    waiting.length > 0 || (postponed.size > 0 && clock.monotonic() - postponedAt >= POSTPONED_MS)
  return {
    hasNext,
    isEmpty: () => waiting.length + postponed.size === 0,
    set(all: StoredSeries[]): void {
      waiting = all
      postponed.clear()
    },
    next(): StoredSeries | undefined {
      if (waiting.length === 0 && hasNext()) {
        waiting = [...postponed.values()]
        postponed.clear()
      }
      return waiting.shift()
    },
    isPostponed: (key: BarKey) => postponed.has(nameOf(key)),
    postpone(series: StoredSeries): void {
      if (postponed.size === 0) postponedAt = clock.monotonic()
      postponed.set(nameOf(series.key), series)
    },
  }
}

const nameOf = ({ source, ticker, interval }: BarKey) => `${source}\n${ticker}\n${interval}`

function changesOf(entries: readonly Entry<CandleChange>[]): BarChange[] {
  const changes = new Map<string, BarChange>()
  for (const { data } of entries) {
    const { source, ticker, ranges } = data
    for (const { interval, from, to } of ranges) {
      const key = { source, ticker, interval }
      const name = nameOf(key)
      const known = changes.get(name) ?? { key, from, to }
      changes.set(name, known)
      known.from = Math.min(known.from, from)
      known.to = Math.max(known.to, to)
    }
  }
  return [...changes.values()]
}
