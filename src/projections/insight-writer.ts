// Writes the keys of one kind of record: what has changed since a change, and what a name has.
import type { Database, Tx } from '../db/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { NameKind, RowKind, Unversioned } from './insight-kinds.ts'
import type { ProjectionWriter } from './writer.ts'

export interface InsightWriterOptions {
  readonly writer: ProjectionWriter
  readonly database: Database
  readonly clock: Clock
}

/** How far a kind is. */
export interface Place {
  readonly kind: RowKind | NameKind
  /** All changes up to it are written. */
  change: number
  /** Names of which a key was made. */
  readonly names: Set<string>
  /** Its keys, as long as all are written. */
  keys: Set<string> | undefined
}

export interface InsightWriter {
  /** Writes what was changed up to `head`; false when it was told to stop before. */
  writeUpTo(place: Place, head: number, signal: AbortSignal): Promise<boolean>
  writeNames(place: Place, kind: NameKind, names: readonly string[]): Promise<void>
  /** Once all are written: removes the others of the kind, but for those written after `version`. */
  removeOthers(place: Place, version: number): Promise<void>
}

// SQLite answers within the call: 200 conversations of 20 messages held up everything else for a few ms.
const NAMES_AT_ONCE = 200

export function openInsightWriter({ writer, database, clock }: InsightWriterOptions): InsightWriter {
  async function put({ keys }: Place, puts: readonly Unversioned[], version: number): Promise<void> {
    for (const one of puts) {
      await writer.put({ ...one, version })
      keys?.add(one.key)
    }
  }
  async function writeNames(place: Place, kind: NameKind, names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += NAMES_AT_ONCE) {
      const version = await writer.ticket()
      const puts = await database.read((tx) => namedPuts(tx, kind, names.slice(at, at + NAMES_AT_ONCE)))
      await put(place, puts, version)
    }
  }
  /** Answers the last change of the page. */
  async function writePage(place: Place): Promise<number> {
    const { kind, change } = place
    if ('names' in kind) {
      const { rows, last } = await database.read((tx) => kind.names(tx, change))
      const changed = new Set(rows.map(({ name }) => name))
      for (const name of changed) place.names.add(name)
      await writeNames(place, kind, [...changed])
      return last
    }
    const version = await writer.ticket()
    const { rows, last } = await database.read((tx) => kind.rows(tx, change, clock.now()))
    await put(place, rows, version)
    return last
  }
  return {
    writeNames,
    async writeUpTo(place, head, signal) {
      while (place.change < head) {
        if (signal.aborted) return false
        const last = await writePage(place)
        // A record that was older than what is kept took a number as well.
        place.change = last === place.change ? head : last
      }
      const { behind } = place.kind as Partial<RowKind>
      if (behind) {
        const version = await writer.ticket()
        await put(place, [await database.read((tx) => behind(tx, clock.now()))], version)
      }
      return true
    },
    async removeOthers(place, version) {
      for (const key of await writer.names(place.kind.projection.pattern.replaceAll(/<\w+>/g, '*'))) {
        if (place.keys?.has(key)) continue
        await writer.put({ key, version, lifetimeMs: undefined, content: { type: 'none' } })
      }
      place.keys = undefined
    },
  }
}

async function namedPuts(tx: Tx, kind: NameKind, names: readonly string[]): Promise<Unversioned[]> {
  const puts: Unversioned[] = []
  for (const name of names) puts.push(await kind.named(tx, name))
  return puts
}
