// What a consumer has handled since its last acknowledgement: told once for each of them, not for each entry.
import type { Link } from './link.ts'
import type { Stream } from './stream.ts'

export interface Tally {
  add(tookMs: number): void
  /** What was added since the last call; `report` tells it. */
  take(): { report(): void }
}

export function openTally(link: Link, of: { stream: Stream<unknown>; group: string }): Tally {
  let count = 0
  let tookMs = 0
  return {
    add(ms) {
      count++
      tookMs += ms
    },
    take() {
      const fact = { stream: of.stream.name, group: of.group, count, tookMs }
      count = 0
      tookMs = 0
      return {
        report() {
          if (fact.count > 0) link.events.emit('handled', fact)
        },
      }
    },
  }
}
