// One write into as many stores as the phase says. A store that the phase does not name is left out only by who knows,
// after its own write has ended, that nobody counts on that store by now; else it is written as well. So a process that
// was paused, or cannot ask, never acknowledges a write that a store will lack.
import type { Knowledge } from './knowledge.ts'
import { otherSide, SIDES, type Side, useOf } from './phase.ts'

/** Safe to repeat: what a store has already stays as it is. Left out: somebody else writes that store. */
export type WriteWork = { readonly [S in Side]?: () => Promise<void> }

/**
 * Writes the store that answers first. Rejects with what a store rejects with, or with CUTOVER_UNKNOWN when a store
 * would be left out and the database cannot be asked: the caller does not acknowledge, and comes again.
 */
export async function writeStores(
  knowledge: Knowledge,
  feature: string,
  work: WriteWork,
): Promise<Record<Side, boolean>> {
  const written = { legacy: false, current: false }
  await knowledge.ready()
  for (;;) {
    const { writes, reads } = useOf(knowledge.state(feature).phase)
    for (const side of [reads, otherSide(reads)]) {
      if (!writes[side] || written[side]) continue
      await work[side]?.()
      written[side] = true
    }
    const leftOut = SIDES.filter((side) => !written[side] && work[side])
    if (leftOut.length === 0) return written
    if (!knowledge.isFresh()) await knowledge.refresh()
    const now = useOf(knowledge.state(feature).phase)
    if (leftOut.every((side) => !now.writes[side])) return written
  }
}
