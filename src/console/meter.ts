// Rates from the streams' own sequences. Two readings tell exactly what was published between them, whoever
// published it; the window of some seconds keeps the figure calm.
import type { StreamStatus } from '../bus/index.ts'

export interface Meter {
  /** Takes a reading at `atMs` (monotonic) and answers entries a second of each stream. */
  read(streams: readonly StreamStatus[], atMs: number): ReadonlyMap<string, number>
}

interface Reading {
  readonly atMs: number
  readonly published: ReadonlyMap<string, number>
}

export function openMeter(windowMs = 5_000): Meter {
  let readings: Reading[] = []
  return {
    read(streams, atMs) {
      const published = new Map(streams.map((stream) => [stream.stream, publishedOf(stream)]))
      // A sequence that fell is another stream: Redis was emptied.
      const isOther = readings.some((old) =>
        [...published].some(([name, count]) => count < (old.published.get(name) ?? 0)),
      )
      if (isOther) readings = []
      readings.push({ atMs, published })
      // The newest reading that is at least a window old stays, as the beginning of the window.
      while (readings.length > 2 && readings[1]!.atMs <= atMs - windowMs) readings.shift()
      const first = readings[0]!
      const seconds = (atMs - first.atMs) / 1_000
      return new Map(
        [...published].map(([name, count]) => [
          name,
          seconds > 0 ? (count - (first.published.get(name) ?? count)) / seconds : 0,
        ]),
      )
    },
  }
}

/** Entries ever published to all partitions. */
export const publishedOf = (stream: StreamStatus): number =>
  stream.partitions.reduce((sum, partition) => sum + partition.lastSequence, 0)
