// Brings into a store what it missed while it was not written: the whole history into the new one, or back into the
// former one what came after it was given up. Part by part, so that a copy that was killed goes on behind the last part
// that was done. It ends with a revision of its own: what was compared before proves nothing about what it has written.
import type { Database } from '../db/index.ts'
import { type Clock, SluiceError } from '../kernel/index.ts'
import { inOrder } from './compare.ts'
import type { FeatureStores, Part, Progress } from './feature.ts'
import { isBothWritten, otherSide, type Side, useOf } from './phase.ts'
import { type OnWait, settle } from './settle.ts'
import { changeState, conflict, type FeatureState, lockState, noteCopied, readState } from './store.ts'

export interface CopyOptions {
  readonly onProgress?: (progress: Progress) => void
  readonly onWait?: OnWait | undefined
  readonly signal?: AbortSignal | undefined
}

export interface CopyParts {
  readonly database: Database
  readonly clock: Clock
  readonly leaseMs: number
}

export interface Copied {
  /** The store that was brought up to date. */
  readonly to: Side
  readonly parts: number
  /** Done by an earlier copy that was ended. */
  readonly partsSkipped: number
  readonly records: number
  readonly state: FeatureState
}

// How much of a copy is done again after a kill.
const NOTE_MS = 1_000

/**
 * Begins only when all processes write both stores. Rejects with CUTOVER_REFUSED in a phase that writes one, with
 * CUTOVER_CONFLICT when the feature is changed meanwhile.
 */
export async function copyStores<P extends Part>(
  { database, clock, leaseMs }: CopyParts,
  stores: FeatureStores<P>,
  { onProgress, onWait, signal = new AbortController().signal }: CopyOptions = {},
): Promise<Copied> {
  const seen = await database.read((tx) => readState(tx, stores.name))
  demandBothWritten(seen)
  const from = useOf(seen.phase).reads
  const to = otherSide(from)
  await settle({ clock, leaseMs }, seen, { onWait, signal })
  await stores.drained?.(from, signal)
  const all = inOrder(await stores.parts(from))
  const parts = all.filter(({ name }) => seen.copied === undefined || name > seen.copied)
  const recordsExpected = parts.reduce((sum, part) => sum + part.records, 0)
  const note = async (part: string) => {
    const isNoted = await database.write((tx) => noteCopied(tx, seen, part))
    if (!isNoted) throw await database.read((tx) => conflict(tx, seen))
  }
  // From now on until the end, nothing that was compared before is a proof.
  if (seen.copied === undefined) await note('')
  let records = 0
  let notedAt = clock.monotonic()
  for (const [index, part] of parts.entries()) {
    const { name } = part
    const tell = (more: number) => {
      records += more
      const progress = { look: 1, part: name, parts: parts.length, partsDone: index, suspects: 0 }
      onProgress?.({ ...progress, records, recordsExpected })
    }
    await stores.copy(part, to, tell, signal)
    signal.throwIfAborted()
    if (clock.monotonic() - notedAt < NOTE_MS) continue
    notedAt = clock.monotonic()
    await note(name)
  }
  const partsSkipped = all.length - parts.length
  const reason = `copied ${parts.length} parts, ${records} records, into the ${to} store`
  const state = await finish(database, seen, reason, clock.now())
  return { to, parts: parts.length, partsSkipped, records, state }
}

function demandBothWritten({ feature, phase }: FeatureState): void {
  if (isBothWritten(phase)) return
  const how = phase === 'legacy' ? 'advance' : 'rollback'
  throw new SluiceError(
    'CUTOVER_REFUSED',
    `${feature} is in ${phase}, where one store alone is written; first: sluice cutover ${how} ${feature}`,
    { feature, phase },
  )
}

function finish(database: Database, seen: FeatureState, reason: string, at: number): Promise<FeatureState> {
  return database.write(async (tx) => {
    const now = await lockState(tx, seen.feature)
    if (now.revision !== seen.revision) throw await conflict(tx, seen)
    return changeState(tx, now, { to: now.phase, complete: true, reason, at })
  })
}
