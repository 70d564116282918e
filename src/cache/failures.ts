// Loads that failed a moment ago, where no lease in Redis remembers it: who asks meanwhile gets the same error, and the
// database is left in peace.
import type { Clock } from '../kernel/index.ts'

export interface Failures {
  find(place: string): { readonly error: unknown } | undefined
  add(place: string, error: unknown): void
}

const PLACES_MAX = 10_000

export function openFailures(clock: Clock, throttleMs: number): Failures {
  const byPlace = new Map<string, { readonly error: unknown; readonly until: number }>()
  return {
    find(place) {
      const failure = byPlace.get(place)
      if (!failure) return undefined
      if (clock.monotonic() < failure.until) return failure
      byPlace.delete(place)
      return undefined
    },
    add(place, error) {
      if (byPlace.size >= PLACES_MAX) byPlace.clear()
      byPlace.set(place, { error, until: clock.monotonic() + throttleMs })
    },
  }
}
