// What this process cannot do at present, since when and why: for the report of the worker and so for /health.
import type { Trouble } from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'

/** Where it is one of several, `of` tells apart who has it: several partitions wait for one store. */
export interface Troubled {
  readonly of: string
  /** All of it; nothing where it is over. */
  readonly now: readonly { readonly what: string; readonly reason: string }[]
}

export interface Troubles {
  set(troubled: Troubled): void
  /** The one that lasts longest first; each `what` once. */
  list(): Trouble[]
}

// A report is written every two seconds and read by everyone who looks.
const LISTED_MAX = 20
const REASON_CHARS_MAX = 300

interface Begun {
  readonly since: number
  readonly beganAt: number
  reason: string
}

export function openTroubles(clock: Clock): Troubles {
  const known = new Map<string, Map<string, Begun>>()
  return {
    set({ of, now }) {
      const before = known.get(of)
      known.delete(of)
      if (now.length === 0) return
      const begin = (reason: string): Begun => ({
        ...{ since: clock.now(), beganAt: clock.monotonic(), reason },
      })
      known.set(
        of,
        new Map(now.map(({ what, reason }) => [what, { ...(before?.get(what) ?? begin(reason)), reason }])),
      )
    },
    list() {
      const oldest = new Map<string, Begun>()
      for (const [what, begun] of [...known.values()].flatMap((troubles) => [...troubles])) {
        const other = oldest.get(what)
        if (!other || begun.beganAt < other.beganAt) oldest.set(what, begun)
      }
      return [...oldest]
        .sort(([, a], [, b]) => a.beganAt - b.beganAt)
        .slice(0, LISTED_MAX)
        .map(([what, { since, beganAt, reason }]) => ({
          ...{ what, reason: reason.slice(0, REASON_CHARS_MAX), since },
          forMs: Math.round(clock.monotonic() - beganAt),
        }))
    },
  }
}
