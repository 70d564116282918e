// When each family was last current. Several sources make one: it is as old as the one that was current longest ago.
import type { ProjectionEmitter, ProjectionFamily } from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { ProjectionSource } from './source.ts'

/** A source, and what it makes of the families that are kept. */
export interface FamilySource extends ProjectionSource {
  readonly families: readonly ProjectionFamily[]
}

/** To be called with a source whenever it is current. */
export function openCurrent(
  sources: readonly FamilySource[],
  { clock, events }: { readonly clock: Clock; readonly events: ProjectionEmitter },
): (source: FamilySource) => void {
  const currentAt = new Map<FamilySource, number>()
  return (source) => {
    currentAt.set(source, clock.now())
    for (const family of source.families) {
      const of = sources.filter(({ families }) => families.includes(family))
      const at = Math.min(...of.map((one) => currentAt.get(one) ?? Number.NEGATIVE_INFINITY))
      if (Number.isFinite(at)) events.emit('current', { family, at })
    }
  }
}
