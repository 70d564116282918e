// The keys of what models say and decide and of what analyses know. At first everything is written, and what the tables do
// not have is removed; afterwards what each change has written, and what would end although it is true.
import type { ProjectionFamily } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { INSIGHT_KINDS } from './insight-kinds.ts'
import { type InsightWriterOptions, openInsightWriter, type Place } from './insight-writer.ts'
import type { ProjectionSource } from './source.ts'

export interface InsightSourceOptions extends InsightWriterOptions {
  readonly families: ReadonlySet<ProjectionFamily>
}

const LOOK_MS = 250

export function openInsightSource(options: InsightSourceOptions): ProjectionSource {
  const { writer, database, clock, families } = options
  const insights = openInsightWriter(options)
  const kinds = INSIGHT_KINDS.filter(({ projection }) => families.has(projection.family))

  /** Undefined when it was told to stop before its end. */
  async function writeWhole(signal: AbortSignal): Promise<Place[] | undefined> {
    const version = await writer.ticket()
    const heads = await database.read(headsOf)
    const places = kinds.map((kind): Place => ({ kind, change: 0, names: new Set(), keys: new Set() }))
    for (const place of places) {
      if (!(await insights.writeUpTo(place, heads.get(place.kind.kind) ?? 0, signal))) return undefined
      await insights.removeOthers(place, version)
    }
    return places
  }

  /** Keys that would end a while after they were written: again after a third of it. */
  function openRenewing(places: readonly Place[], writtenAt: number): () => Promise<void> {
    const renewable = places.flatMap((place) => {
      const { kind } = place
      const { lifetimeMs } = kind.projection
      if (typeof lifetimeMs !== 'number' || !('names' in kind)) return []
      return [{ place, kind, everyMs: lifetimeMs / 3, writtenAt }]
    })
    return async () => {
      for (const one of renewable) {
        const now = clock.monotonic()
        if (now - one.writtenAt < one.everyMs) continue
        one.writtenAt = now
        await insights.writeNames(one.place, one.kind, [...one.place.names])
      }
    }
  }

  return {
    name: 'insights',
    rebuild: async (signal) => (await writeWhole(signal)) !== undefined,
    async keep(signal, { onCurrent } = {}) {
      const beganAt = clock.monotonic()
      const places = (await writeWhole(signal)) ?? []
      const renew = openRenewing(places, beganAt)
      while (!signal.aborted) {
        const heads = await database.read(headsOf)
        for (const place of places) {
          const head = heads.get(place.kind.kind) ?? 0
          if (head > place.change) await insights.writeUpTo(place, head, signal)
        }
        await renew()
        onCurrent?.()
        await clock.sleep(LOOK_MS, signal)
      }
    },
  }
}

async function headsOf({ sql, t }: Tx): Promise<Map<string, number>> {
  const rows = await sql.select().from(t.insightChanges)
  return new Map(rows.map(({ kind, change }) => [kind, change]))
}
