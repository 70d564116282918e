// The steps of a feature. Forward only with proof that both stores hold the same, found under the present revision; back
// without any. A step that ends the writing of a store waits until nobody can still read it.
import type { Database, Tx } from '../db/index.ts'
import { type Clock, SluiceError } from '../kernel/index.ts'
import { isBothWritten, otherSide, type Phase, phaseAfter, phaseBefore, useOf } from './phase.ts'
import { latestRun } from './runs.ts'
import { type OnWait, settle } from './settle.ts'
import { changeState, conflict, type FeatureState, lockState, readState } from './store.ts'

export interface StepOptions {
  /** For the history: why. */
  readonly reason: string
  /** The revision that was seen; another one is refused with CUTOVER_CONFLICT. Default: the one found at the call. */
  readonly revision?: number | undefined
  readonly onWait?: OnWait | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ChangeParts {
  readonly database: Database
  readonly clock: Clock
  readonly leaseMs: number
}

const refused = (feature: string, why: string) =>
  new SluiceError('CUTOVER_REFUSED', `${feature}: ${why}`, { feature })

/** Rejects with CUTOVER_REFUSED while something is missing, CUTOVER_CONFLICT when somebody else was faster. */
export async function advance(
  parts: ChangeParts,
  feature: string,
  options: StepOptions,
): Promise<FeatureState> {
  const seen = await look(parts, feature, options)
  const to = phaseAfter(seen.phase)
  if (!to) throw refused(feature, 'it is done; there is no further phase.')
  await demand(parts, seen)
  if (!isBothWritten(to)) await settle(parts, seen, options)
  return parts.database.write(async (tx) => {
    const now = await lockSeen(tx, seen)
    const missing = await missingFor(tx, now)
    if (missing) throw refused(feature, missing)
    return changeState(tx, now, { ...changeOf(parts, now, to), reason: options.reason })
  })
}

/** Before the waiting: what is missing now would still be missing then. */
async function demand({ database }: ChangeParts, seen: FeatureState): Promise<void> {
  const missing = await database.read((tx) => missingFor(tx, seen))
  if (missing) throw refused(seen.feature, missing)
}

/** Rejects with CUTOVER_REFUSED when the store that would answer does not hold everything. */
export async function rollback(
  parts: ChangeParts,
  feature: string,
  options: StepOptions,
): Promise<FeatureState> {
  const seen = await look(parts, feature, options)
  const to = phaseBefore(seen.phase)
  if (!to) throw refused(feature, 'it is in its first phase; there is nothing to go back to.')
  demandAnswering(seen, to)
  if (!isBothWritten(to)) await settle(parts, seen, options)
  return parts.database.write(async (tx) => {
    const now = await lockSeen(tx, seen)
    return changeState(tx, now, { ...changeOf(parts, now, to), reason: options.reason })
  })
}

/** A store that was not written for a while answers only after what it missed was copied. */
function demandAnswering(seen: FeatureState, to: Phase): void {
  if (seen.complete || !isBothWritten(seen.phase) || useOf(seen.phase).reads === useOf(to).reads) return
  const why = 'the former store lacks what was written without it; bring it over first: sluice cutover copy'
  throw refused(seen.feature, `${why} ${seen.feature}`)
}

async function look(
  { database }: ChangeParts,
  feature: string,
  { reason, revision }: StepOptions,
): Promise<FeatureState> {
  if (reason.trim() === '')
    throw new SluiceError('USAGE', 'A change of phase needs a reason that says something.')
  return database.read(async (tx) => {
    const seen = await readState(tx, feature)
    if (revision !== undefined && revision !== seen.revision) throw await conflict(tx, { ...seen, revision })
    return seen
  })
}

async function lockSeen(tx: Tx, seen: FeatureState): Promise<FeatureState> {
  const now = await lockState(tx, seen.feature)
  if (now.revision !== seen.revision) throw await conflict(tx, seen)
  return now
}

/** Both stores stay complete as long as both are written. */
function changeOf({ clock }: ChangeParts, { complete }: FeatureState, to: Phase) {
  return { to, complete: complete && isBothWritten(to), at: clock.now() }
}

/** What stands in the way of the next phase, as a sentence; undefined when nothing does. */
export async function missingFor(tx: Tx, state: FeatureState): Promise<string | undefined> {
  const { feature, phase, revision } = state
  if (!isBothWritten(phase)) return undefined
  const lacking = otherSide(useOf(phase).reads)
  if (state.copied !== undefined)
    return `a copy has not come to its end; go on: sluice cutover copy ${feature}`
  if (!state.complete) {
    return `the ${lacking} store lacks what was written without it; bring it over: sluice cutover copy ${feature}`
  }
  const run = await latestRun(tx, { feature, revision, kind: 'full', ended: true })
  if (!run) return `nothing was compared since the last change; compare: sluice parity run ${feature}`
  if (run.different > 0) {
    return `the last comparison found ${run.different} differences; see: sluice parity report ${feature}`
  }
  const shadow = await latestRun(tx, { feature, revision, kind: 'shadow' })
  if (shadow && shadow.different > 0) {
    return `${shadow.different} reads differed; see: sluice parity report ${feature} --run ${shadow.id}`
  }
  return undefined
}
