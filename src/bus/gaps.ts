// Publishers number the entries of a partition without holes. Whoever reads them in order can therefore see that some
// have vanished, whatever made them vanish.
import { type RawEntry, sequenceOf } from './codec.ts'
import type { Link } from './link.ts'
import type { Stream } from './stream.ts'

export interface GapDetector {
  /**
   * Looks at the next entry in the order of the partition. What former owners held (`isNew` false) has holes of its
   * own, where entries were acknowledged.
   */
  see(raw: RawEntry, isNew?: boolean): void
  /** Reports entries that are known to have vanished. */
  missing(count: number, reason: string): void
}

export interface GapOptions {
  readonly stream: Stream<unknown>
  readonly group: string
  readonly partition: number
  /** The highest sequence that the group has seen; 0 when nobody knows. */
  readonly seen: number
}

export function openGapDetector(link: Link, { stream, group, partition, seen }: GapOptions): GapDetector {
  let last = seen
  const missing = (count: number, reason: string) =>
    link.events.emit('lost', { stream: stream.name, group, partition, count, reason })
  return {
    missing,
    see(raw, isNew = true) {
      const found = sequenceOf(raw)
      // Outside programs do not number; after them the count goes on where it was.
      if (found <= last) return
      if (isNew && last > 0 && found > last + 1) {
        missing(found - last - 1, `nothing between sequence ${last} and ${found}`)
      }
      last = found
    },
  }
}
