// How far each feature has moved from its former store to the new one. Written by the cut-over engine alone.
import type { Words } from '../words/postgres.ts'

const PHASES = ['legacy', 'dual', 'shadow', 'primary', 'done'] as const

/** One row for each feature that is not in its first phase any more. */
export const cutovers = (w: Words) =>
  w.table('cutovers', {
    feature: w.text('feature').primaryKey(),
    phase: w.oneOf('phase', PHASES).notNull(),
    /** Raised by each change: who changes a phase names the revision that they have seen. */
    revision: w.integer('revision').notNull(),
    changedAt: w.instant('changed_at').notNull(),
    /** Both stores hold everything: since the end of a copy, for as long as both are written. */
    complete: w.boolean('complete').notNull().default(false),
    /** The last part that a copy has brought over; null before the first, and when no copy is under way. */
    copied: w.text('copied'),
  })

export const cutoverChanges = (w: Words) =>
  w.table(
    'cutover_changes',
    {
      feature: w.text('feature').notNull(),
      revision: w.integer('revision').notNull(),
      from: w.oneOf('from_phase', PHASES).notNull(),
      to: w.oneOf('to_phase', PHASES).notNull(),
      /** A person's words, or what the engine found. */
      reason: w.text('reason').notNull(),
      at: w.instant('at').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.feature, t.revision] })],
  )

export const parityRuns = (w: Words) =>
  w.table(
    'parity_runs',
    {
      id: w.text('id').primaryKey(),
      feature: w.text('feature').notNull(),
      /** Of the cutover when it began: a run tells nothing about what came after another change. */
      revision: w.integer('revision').notNull().default(0),
      /** `full` compares everything that is kept, `shadow` what was read while the revision was in force. */
      kind: w.oneOf('kind', ['full', 'shadow']).notNull().default('full'),
      startedAt: w.instant('started_at').notNull(),
      /** Null while it runs, and for ever when it was killed; always null of a shadow run. */
      endedAt: w.instant('ended_at'),
      compared: w.integer('compared').notNull(),
      different: w.integer('different').notNull(),
    },
    (t) => [w.index('parity_runs_feature').on(t.feature, t.startedAt)],
  )

export const parityDifferences = (w: Words) =>
  w.table(
    'parity_differences',
    {
      run: w.text('run').notNull(),
      /** Names the record in both stores. */
      key: w.text('key').notNull(),
      /** Canonical values; null where the record is missing. */
      legacy: w.text('legacy'),
      current: w.text('current'),
    },
    (t) => [w.primaryKey({ columns: [t.run, t.key] })],
  )
