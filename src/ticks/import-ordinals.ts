// The place of a tick among those of its series that have the same time: one message brings several. Every tick that
// can be read counts, also one that is refused afterwards, so that another judgement later moves none of the others.
import type { TickTime } from './parse-time.ts'

export type SavedOrdinals = readonly (readonly [series: string, time: number, nanos: number, next: number])[]

interface Place extends TickTime {
  readonly symbol: string
  readonly source: string
}

export interface Ordinals {
  next(tick: Place): number
  state(): SavedOrdinals
}

/** Of more series than `seriesMax` the one that came first is forgotten; the store settles what then collides. */
export function openOrdinals(seriesMax: number, saved: SavedOrdinals = []): Ordinals {
  const known = new Map<string, { time: number; nanos: number; next: number }>()
  for (const [series, time, nanos, next] of saved) known.set(series, { time, nanos, next })
  return {
    next({ symbol, source, time, nanos }) {
      const series = `${symbol}\0${source}`
      const found = known.get(series)
      if (!found) {
        if (known.size >= seriesMax) known.delete(known.keys().next().value!)
        known.set(series, { time, nanos, next: 1 })
        return 0
      }
      if (found.time !== time || found.nanos !== nanos) {
        found.time = time
        found.nanos = nanos
        found.next = 0
      }
      found.next += 1
      return found.next - 1
    },
    state: () => [...known].map(([series, { time, nanos, next }]) => [series, time, nanos, next] as const),
  }
}
