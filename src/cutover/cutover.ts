// The port of the cut-over engine: one safe way to move a feature from a store to another. Write both, copy, compare,
// switch, roll back. docs/CUTOVER.md says which step is safe and why.
import type { Database } from '../db/index.ts'
import { type Clock, messageOf, runTasks, type Task } from '../kernel/index.ts'
import { type Backing, begin } from './begin.ts'
import { advance, missingFor, rollback, type StepOptions } from './change.ts'
import { type CompareOptions, compareStores } from './compare.ts'
import { type Copied, type CopyOptions, copyStores } from './copy.ts'
import { type CutoverEmitter, cutoverEmitter } from './events.ts'
import type { FeatureStores, Part } from './feature.ts'
import { demandFeature, openKnowledge } from './knowledge.ts'
import { type Phase, type PhaseUse, type Side, useOf } from './phase.ts'
import { type Difference, findRun, latestRun, type Run, readDifferences } from './runs.ts'
import { openShadow, type ShadowRead } from './shadow.ts'
import { type FeatureChange, type FeatureState, readChanges, readState } from './store.ts'
import { type WriteWork, writeStores } from './write.ts'

export interface CutoverOptions<F extends string> {
  readonly database: Database
  readonly clock: Clock
  readonly features: readonly F[]
  /** Says that something has changed, to all processes. May fail. */
  readonly tell?: () => Promise<void>
  /** Hears it, and is told as well whenever it may have missed something. */
  readonly listen?: (onChange: () => void) => Task
  /** How often the database is asked, ms. Default 500. */
  readonly pollMs?: number
  /** After how long without an answer that is reported, ms. Default 3,000. */
  readonly blindMs?: number
  /** For how long knowledge is good enough to leave a store out, and so how long a step may wait, ms. Default 10,000. */
  readonly leaseMs?: number
  /** Comparisons of reads under way at once. Default 4. */
  readonly comparisonsMax?: number
  /** Pauses before each further look at a read that differed, ms. Default 200, 500. */
  readonly recheckMs?: readonly number[]
  /** Pause before each further look of a comparison at what differed, ms. Default 1,000. */
  readonly lookAgainMs?: number
}

export interface FeatureStatus extends FeatureState {
  readonly use: PhaseUse
  /** What stands in the way of the next phase. */
  readonly missing: string | undefined
  /** The last comparison that began under the present revision. */
  readonly run: Run | undefined
  /** What the reads of the present revision have shown. */
  readonly shadow: Run | undefined
  /** Newest first, at most 20. */
  readonly changes: readonly FeatureChange[]
}

export interface Cutover<F extends string = string> {
  readonly events: CutoverEmitter
  /**
   * Before a process writes or reads the stores that a setting names. Rejects with CUTOVER_REFUSED where it goes round
   * the phase; where both are used for the first time, the feature begins in the phase that fits what they hold.
   */
  begin(feature: F, backing: Backing): Promise<void>
  /** Resolves once the phases are known; rejects with CUTOVER_UNKNOWN when the database cannot be asked. */
  ready(): Promise<void>
  /** As last heard: at most a second old, longer only while the database cannot be asked. */
  phase(feature: F): Phase
  /** Which store answers. */
  reads(feature: F): Side
  /**
   * Writes the stores that the phase names, the answering one first; what is left out is answered as false. A store is
   * left out only when no process relies on its having the write. Acknowledge after it resolves. Rejects with what a
   * store rejects with, or with CUTOVER_UNKNOWN: then come again; `work` must bear being repeated.
   */
  write(feature: F, work: WriteWork): Promise<Record<Side, boolean>>
  /** Answers from the store of the phase and, in shadow and primary, compares with the other one afterwards. */
  read<T>(feature: F, read: ShadowRead<T>): Promise<T>
  /** One phase forward. Rejects with CUTOVER_REFUSED while proof is missing, CUTOVER_CONFLICT, or USAGE. */
  advance(feature: F, options: StepOptions): Promise<FeatureState>
  /** One phase back; needs no proof. */
  rollback(feature: F, options: StepOptions): Promise<FeatureState>
  /** Brings the store that does not answer up to date. Goes on where a copy was killed. */
  copy<P extends Part>(stores: FeatureStores<P>, options?: CopyOptions): Promise<Copied>
  compare<P extends Part>(stores: FeatureStores<P>, options?: CompareOptions): Promise<Run>
  /** From the database. */
  status(feature: F): Promise<FeatureStatus>
  /** A run by its id, or the last comparison of everything; with its first differences. */
  report(
    feature: F,
    run: string | undefined,
    limit: number,
  ): Promise<{ run: Run; differences: Difference[] } | undefined>
  /** Follows changes; runs in every process that writes or reads a feature. */
  readonly task: Task
  close(): Promise<void>
}

const CHANGES_SHOWN = 20

export function openCutover<F extends string>(options: CutoverOptions<F>): Cutover<F> {
  const { database, clock, features, pollMs = 500, blindMs = 3_000, leaseMs = 10_000 } = options
  const events = cutoverEmitter()
  const knowledge = openKnowledge({
    ...{ database, clock, features, events, pollMs, blindMs, leaseMs },
    listen: options.listen,
  })
  async function tell(): Promise<void> {
    try {
      await options.tell?.()
    } catch (error) {
      events.emit('disturbed', { where: 'channel', reason: messageOf(error) })
    }
  }
  const shadow = openShadow({
    ...{ database, clock, knowledge, events, tell, retryMs: pollMs },
    comparisonsMax: options.comparisonsMax ?? 4,
    recheckMs: options.recheckMs ?? [200, 500],
  })
  const parts = { database, clock, leaseMs, lookAgainMs: options.lookAgainMs ?? 1_000 }
  async function changed<T>(feature: string, work: () => Promise<T>): Promise<T> {
    demandFeature(feature, features)
    const result = await work()
    await Promise.all([tell(), knowledge.refresh()])
    return result
  }
  return {
    events,
    async begin(feature, backing) {
      demandFeature(feature, features)
      await begin({ database, clock }, feature, backing)
    },
    ready: knowledge.ready,
    phase: (feature) => knowledge.state(feature).phase,
    reads: (feature) => useOf(knowledge.state(feature).phase).reads,
    write: (feature, work) => writeStores(knowledge, feature, work),
    read: shadow.read,
    advance: (feature, step) => changed(feature, () => advance(parts, feature, step)),
    rollback: (feature, step) => changed(feature, () => rollback(parts, feature, step)),
    copy: (stores, how) => changed(stores.name, () => copyStores(parts, stores, how)),
    async compare(stores, how) {
      demandFeature(stores.name, features)
      return compareStores(parts, stores, how)
    },
    async status(feature) {
      demandFeature(feature, features)
      return database.read(async (tx) => {
        const state = await readState(tx, feature)
        const { revision } = state
        return {
          ...state,
          use: useOf(state.phase),
          missing: await missingFor(tx, state),
          run: await latestRun(tx, { feature, revision, kind: 'full' }),
          shadow: await latestRun(tx, { feature, revision, kind: 'shadow' }),
          changes: await readChanges(tx, feature, CHANGES_SHOWN),
        }
      })
    },
    async report(feature, id, limit) {
      demandFeature(feature, features)
      return database.read(async (tx) => {
        const run = id === undefined ? await latestRun(tx, { feature, kind: 'full' }) : await findRun(tx, id)
        return run && run.feature === feature
          ? { run, differences: await readDifferences(tx, run.id, limit) }
          : undefined
      })
    },
    task: (signal) => runTasks([knowledge.task, shadow.task], signal),
    close: shadow.close,
  }
}
