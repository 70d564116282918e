// How old the oldest answer was: how long after a change had been told somebody still began a read that gave what was
// true before it.
import type { Notes } from './worker.ts'

export interface Stale {
  readonly key: number
  readonly version: number
  /** From the end of the telling to the beginning of the read, ms. */
  readonly ms: number
}

/** The oldest answer of all notes; undefined when none was too old. */
export function oldest(notes: readonly Notes[]): Stale | undefined {
  const told = Map.groupBy(
    notes.flatMap((one) => one.told),
    ([key]) => key,
  )
  let worst: Stale | undefined
  for (const [key, of] of told) {
    // From the newest down: when a version, or a newer one, had been told.
    const sinceMs = new Map<number, number>()
    let at = Number.POSITIVE_INFINITY
    for (const [, version, toldAt] of [...of].sort(([, a], [, b]) => b - a)) {
      at = Math.min(at, toldAt)
      sinceMs.set(version, at)
    }
    const versions = [...sinceMs.keys()].sort((a, b) => a - b)
    for (const { seen } of notes) {
      for (const [seenKey, version, seenAt] of seen) {
        if (seenKey !== key) continue
        const next = versions.find((one) => one > version)
        const ms = next === undefined ? 0 : seenAt - sinceMs.get(next)!
        if (ms > (worst?.ms ?? 0)) worst = { key, version, ms }
      }
    }
  }
  return worst
}
