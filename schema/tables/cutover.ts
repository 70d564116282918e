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
      startedAt: w.instant('started_at').notNull(),
      /** Null while it runs, and for ever when it was killed. */
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
