// Each kind of record, the keys that are made of it, and how what has changed is found.
import { type InsightKind, type Projection, projections } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'
import { lastCycleOf, messagesOf } from '../insights/index.ts'
import {
  analysisKey,
  conversationKey,
  decisionKey,
  learningKey,
  levelsKey,
  memoryKey,
  newestScoreKey,
  preferenceKey,
  scoreKey,
  traderKey,
} from './insight-keys.ts'
import {
  changedAnalyses,
  changedConversations,
  changedDecisions,
  changedLearnings,
  changedLevels,
  changedMemory,
  changedPreferences,
  changedScores,
  changedTraders,
  learningsOf,
  newestAnalysis,
  newestScoreTime,
  type Page,
  traderOf,
} from './read-insights.ts'
import type { Put } from './writer.ts'

export type Unversioned = Omit<Put, 'version'>

interface Common {
  readonly kind: InsightKind
  /** Whose keys are made; those that nothing makes any more are removed. */
  readonly projection: Projection
}

/** A key of each row. */
export interface RowKind extends Common {
  readonly rows: (tx: Tx, after: number, now: number) => Promise<Page<Unversioned>>
  /** One key of all of them. */
  readonly behind?: (tx: Tx, now: number) => Promise<Unversioned>
}

/** A key of all rows of a name. */
export interface NameKind extends Common {
  readonly names: (tx: Tx, after: number) => Promise<Page<{ readonly name: string }>>
  readonly named: (tx: Tx, name: string) => Promise<Unversioned>
}

async function each<R>(page: Promise<Page<R>>, keyOf: (row: R) => Unversioned): Promise<Page<Unversioned>> {
  const { rows, last } = await page
  return { rows: rows.map(keyOf), last }
}

export const INSIGHT_KINDS: readonly (RowKind | NameKind)[] = [
  {
    ...{ kind: 'message', projection: projections.conversations, names: changedConversations },
    named: async (tx, model) =>
      conversationKey(model, await messagesOf(tx, model, projections.conversations.cap!)),
  },
  {
    ...{ kind: 'decision', projection: projections.lastDecision, names: changedDecisions },
    named: async (tx, model) => decisionKey(model, await lastCycleOf(tx, model)),
  },
  {
    ...{ kind: 'trader', projection: projections.traderState, names: changedTraders },
    named: async (tx, trader) => traderKey(trader, await traderOf(tx, trader)),
  },
  {
    ...{ kind: 'score', projection: projections.globalScore },
    rows: (tx, after, now) => each(changedScores(tx, after), (row) => scoreKey(row, now)),
    behind: async (tx, now) => newestScoreKey(await newestScoreTime(tx), now),
  },
  {
    ...{ kind: 'levels', projection: projections.levels },
    rows: (tx, after, now) => each(changedLevels(tx, after), (row) => levelsKey(row, now)),
  },
  {
    ...{ kind: 'memory', projection: projections.memory },
    rows: (tx, after, now) => each(changedMemory(tx, after), (row) => memoryKey(row, now)),
  },
  {
    ...{ kind: 'preference', projection: projections.preference },
    rows: (tx, after) => each(changedPreferences(tx, after), preferenceKey),
  },
  {
    ...{ kind: 'analysis', projection: projections.analysis, names: changedAnalyses },
    named: async (tx, name) => analysisKey(await newestAnalysis(tx, name)),
  },
  {
    ...{ kind: 'learning', projection: projections.learning, names: changedLearnings },
    named: async (tx, agent) => learningKey(agent, await learningsOf(tx, agent)),
  },
]
