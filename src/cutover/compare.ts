// Compares everything that both stores hold, record by record. The stores are written meanwhile and are not read at one
// moment, so what differs is looked at twice more after a pause: only what differs in every look is a difference.
import type { Database } from '../db/index.ts'
import { type Clock, randomId } from '../kernel/index.ts'
import type { FeatureStores, Part, Progress } from './feature.ts'
import { mergeRecords } from './merge.ts'
import { SIDES } from './phase.ts'
import {
  DIFFERENCES_KEPT,
  type Difference,
  insertDifferences,
  insertRun,
  type Run,
  updateRun,
} from './runs.ts'
import { readState } from './store.ts'
import { openSuspects, type Suspects } from './suspects.ts'

export interface CompareOptions {
  readonly onDifference?: (difference: Difference) => void
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal | undefined
}

export interface CompareParts {
  readonly database: Database
  readonly clock: Clock
  /** Pause before each further look, ms. */
  readonly lookAgainMs: number
}

const LOOKS = 3

/**
 * Resolves with the run as it stands in the database, which keeps the first differences. It does not end, and so proves
 * nothing, where there are records and all of them are too new to be compared.
 */
export async function compareStores<P extends Part>(
  { database, clock, lookAgainMs }: CompareParts,
  stores: FeatureStores<P>,
  options: CompareOptions = {},
): Promise<Run> {
  const { signal } = options
  const { name: feature } = stores
  const { revision } = await database.read((tx) => readState(tx, feature))
  const begun = { id: randomId(), feature, revision, startedAt: clock.now() }
  await database.write((tx) => insertRun(tx, begun))
  const suspects = openSuspects()
  const kept = openKept(database, begun.id)
  let open = await partsOfBoth(stores)
  const expected = open.reduce((sum, { records }) => sum + records, 0)
  let compared = 0
  for (let look = 1; look <= LOOKS && open.length > 0; look++) {
    if (look > 1) {
      await clock.sleep(lookAgainMs, signal)
      suspects.nextLook()
    }
    const isLast = look === LOOKS
    const seen = await lookAt({ stores, parts: open, look, suspects, options }, async (differences) => {
      if (!isLast) return
      for (const difference of differences) options.onDifference?.(difference)
      await kept.add(differences)
    })
    if (look === 1) compared = seen
    open = open.filter(({ name }) => suspects.has(name))
  }
  const result = { compared, different: open.length === 0 ? 0 : suspects.count() }
  const endedAt = compared === 0 && expected > 0 ? undefined : clock.now()
  await database.write((tx) =>
    updateRun(tx, { id: begun.id, ...result, ...(endedAt !== undefined && { endedAt }) }),
  )
  return { ...begun, kind: 'full', ...result, endedAt }
}

/** By name; each with the count of the store that has more. */
async function partsOfBoth<P extends Part>(stores: FeatureStores<P>): Promise<P[]> {
  const byName = new Map<string, P>()
  for (const side of SIDES) {
    for (const part of await stores.parts(side)) {
      const known = byName.get(part.name)
      if (!known || known.records < part.records) byName.set(part.name, part)
    }
  }
  return inOrder([...byName.values()])
}

export const inOrder = <P extends Part>(parts: readonly P[]): P[] =>
  parts.toSorted((a, b) => (a.name < b.name ? -1 : 1))

interface Look<P extends Part> {
  readonly stores: FeatureStores<P>
  readonly parts: readonly P[]
  readonly look: number
  readonly suspects: Suspects
  readonly options: CompareOptions
}

// Held until a part is done or so many have come together.
const HELD_MAX = 1_000

/** Answers how many records there are; tells those that differed in each look so far. */
async function lookAt<P extends Part>(
  { stores, parts, look, suspects, options }: Look<P>,
  onDifferences: (differences: readonly Difference[]) => Promise<void>,
): Promise<number> {
  const recordsExpected = parts.reduce((sum, { records }) => sum + records, 0)
  let records = 0
  for (const [partsDone, part] of parts.entries()) {
    const { name } = part
    let held: Difference[] = []
    const tell = async () => {
      const progress = { look, part: name, parts: parts.length, partsDone, records, recordsExpected }
      options.onProgress?.({ ...progress, suspects: suspects.count() })
      if (held.length < HELD_MAX) return
      await onDifferences(held)
      held = []
    }
    await mergeRecords(stores.records('legacy', part), stores.records('current', part), {
      onDifference(difference) {
        if (suspects.add(name, difference.key)) held.push(difference)
      },
      async onRecords(count) {
        records += count
        options.signal?.throwIfAborted()
        await tell()
      },
    })
    await onDifferences(held)
  }
  return records
}

function openKept(database: Database, run: string) {
  let left = DIFFERENCES_KEPT
  return {
    async add(differences: readonly Difference[]): Promise<void> {
      const rows = differences.slice(0, left)
      left -= rows.length
      if (rows.length > 0) await database.write((tx) => insertDifferences(tx, run, rows))
    },
  }
}
