// Two stores as one, for who writes them directly, as an import does. What comes by the stream is written to each by a
// consumer of its own instead, so that one that fails does not hold up the other.
import type { TickStore } from './tick.ts'

export interface DualTicksOptions {
  readonly first: TickStore
  readonly second: TickStore
  /** Asked at each read: the phase of the cut-over may change meanwhile. */
  readonly answering: () => 'first' | 'second'
}

/**
 * A write resolves when both have it, with the counts of the first. When one rejects, the other may have it: written
 * again, it is a duplicate there.
 */
export function openDualTicks({ first, second, answering }: DualTicksOptions): TickStore {
  const answerer = () => (answering() === 'first' ? first : second)
  return {
    async write(ticks) {
      // Also when the first fails, the second is waited for: nothing of a write goes on behind its end.
      const [written, other] = await Promise.allSettled([first.write(ticks), second.write(ticks)])
      if (written.status === 'rejected') throw written.reason
      if (other.status === 'rejected') throw other.reason
      return written.value
    },
    range: async (query) => answerer().range(query),
    recent: async (symbol, count, source) => answerer().recent(symbol, count, source),
    series: async (day) => answerer().series(day),
    async close() {
      const closed = await Promise.allSettled([first.close(), second.close()])
      for (const one of closed) if (one.status === 'rejected') throw one.reason
    },
  }
}
