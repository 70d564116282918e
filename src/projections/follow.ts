// Follows a stream without a group of consumers. A projection may skip what it has missed, because it is made of what is
// true now; a group of a family that was switched off would hold up trimming, and at last the publishers.
import type { Bus, Entry, Stream } from '../bus/index.ts'
import type { Clock } from '../kernel/index.ts'

export interface Follower<T> {
  /** What is new, in the order of each partition; `missed` when entries are missing in front of some. */
  next(signal: AbortSignal): Promise<{ entries: Entry<T>[]; missed: boolean }>
}

// Clocks of servers differ, and what is applied twice changes nothing.
const LOOK_BACK_MS = 5_000
const BATCH = 500
/** Entries of one partition that are taken at once: the next call goes on. */
const AT_ONCE_MAX = 5_000

/** Begins a few seconds ago. */
export function openFollower<T>(bus: Pick<Bus, 'readBack'>, stream: Stream<T>, clock: Clock): Follower<T> {
  const begin = `${clock.now() - LOOK_BACK_MS}-0`
  const places = Array.from({ length: stream.partitions }, () => ({ at: begin, sequence: 0 }))
  return {
    async next(signal) {
      const found: Entry<T>[] = []
      let missed = false
      for (const [partition, place] of places.entries()) {
        for (let taken = 0; taken < AT_ONCE_MAX && !signal.aborted; ) {
          const entries = await bus.readBack(stream, partition, place.at, BATCH)
          for (const entry of entries) {
            missed ||= place.sequence !== 0 && entry.sequence !== place.sequence + 1
            place.at = entry.entry
            place.sequence = entry.sequence
          }
          found.push(...entries)
          taken += entries.length
          if (entries.length < BATCH) break
        }
      }
      return { entries: found, missed }
    },
  }
}
