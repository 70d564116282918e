// Records of insights as the keys of the reference systems. What ends by itself ends so long after the record's own time:
// a key that is written again, or by a rebuild, gets what is left of its life and no more.
import { levelsLifeMs, type MessageRow, projections, SCORE_LIFE_MS } from '../catalog/index.ts'
import { isoTime } from '../kernel/index.ts'
import type {
  AnalysisTableRow,
  CycleTableRow,
  LearningTableRow,
  LevelsTableRow,
  MemoryTableRow,
  PreferenceTableRow,
  ScoreTableRow,
  TraderTableRow,
} from './read-insights.ts'
import type { Content, Put } from './writer.ts'

type Unversioned = Omit<Put, 'version'>

const NOTHING: Content = { type: 'none' }
const text = (value: unknown): Content => ({ type: 'string', value: JSON.stringify(value) })
const hash = (fields: Readonly<Record<string, string>>): Content => ({
  type: 'hash',
  fields: Object.entries(fields),
})

/** No key once it has ended. */
function until(endsAt: number, now: number, key: string, content: Content): Unversioned {
  const lifetimeMs = endsAt - now
  return lifetimeMs > 0 ? { key, lifetimeMs, content } : { key, lifetimeMs: undefined, content: NOTHING }
}

/** As they were said: oldest first. @param newest newest first. */
export function conversationKey(model: string, newest: readonly MessageRow[]): Unversioned {
  const { key, lifetimeMs } = projections.conversations
  const items = newest
    .map(({ role, content, time }) => JSON.stringify({ role, content, timestamp: time / 1_000 }))
    .reverse()
  const content: Content = items.length > 0 ? { type: 'list', items } : NOTHING
  return { key: key({ model }), lifetimeMs, content }
}

export function decisionKey(model: string, row: CycleTableRow | null): Unversioned {
  const { key, lifetimeMs } = projections.lastDecision
  const value = row && {
    ...{ model_id: model, cycle_number: row.cycle, prompt_digest: row.promptDigest, cot_trace: row.trace },
    ...{ decisions: row.decisions, success: row.success, error_message: row.error || null },
    executed_at: isoTime(row.executedAt),
  }
  return { key: key({ model }), lifetimeMs, content: value ? text(value) : NOTHING }
}

/** What a trader does not have is no field. */
export function traderKey(trader: string, row: TraderTableRow | undefined): Unversioned {
  const { key, lifetimeMs } = projections.traderState
  const at = { key: key({ id: trader }), lifetimeMs }
  if (!row) return { ...at, content: NOTHING }
  const { exchangeProvider, marketProvider, allocationPct, lastDecisionAt, pauseUntil } = row
  const fields = {
    ...{
      exchange_provider: exchangeProvider,
      market_provider: marketProvider,
      allocation_pct: allocationPct,
    },
    ...{ cooldown: JSON.stringify(row.cooldown), risk_guards: JSON.stringify(row.riskGuards) },
    ...(lastDecisionAt !== null && { last_decision_at: isoTime(lastDecisionAt) }),
    ...(pauseUntil !== null && { pause_until: isoTime(pauseUntil) }),
    updated_at: isoTime(row.updatedAt),
  }
  return { ...at, content: hash(fields) }
}

export function scoreKey({ symbol, score, agentScores, time }: ScoreTableRow, now: number): Unversioned {
  const fields = {
    ...{ score: String(score), timestamp: isoTime(time) },
    agent_scores_json: JSON.stringify(agentScores),
  }
  return until(time + SCORE_LIFE_MS, now, projections.globalScore.key({ symbol }), hash(fields))
}

/** Each score has its own time; this is the newest, and says nothing of the others. */
export function newestScoreKey(time: number | undefined, now: number): Unversioned {
  const content: Content = time === undefined ? NOTHING : { type: 'string', value: isoTime(time) }
  return until((time ?? 0) + SCORE_LIFE_MS, now, projections.newestScore.key({}), content)
}

export function levelsKey(row: LevelsTableRow, now: number): Unversioned {
  const { symbol, timeframe, levels, updatedAt } = row
  const key = projections.levels.key({ symbol, timeframe })
  return until(updatedAt + levelsLifeMs(timeframe), now, key, text(levels))
}

export function memoryKey({ type, key, value, endsAt }: MemoryTableRow, now: number): Unversioned {
  return until(endsAt, now, projections.memory.key({ context_type: type, key }), text(value))
}

export const preferenceKey = ({ user, key, value }: PreferenceTableRow): Unversioned => ({
  ...{ key: projections.preference.key({ user_id: user, pref_key: key }), lifetimeMs: undefined },
  content: text(value),
})

export function analysisKey(row: AnalysisTableRow): Unversioned {
  const { symbol, agent, score, confidence, signals, reasoning, createdAt } = row
  const fields = {
    ...{ score: String(score), confidence: String(confidence), signals: JSON.stringify(signals), reasoning },
    created_at: isoTime(createdAt),
  }
  const key = projections.analysis.key({ symbol, agent_type: agent })
  return { key, lifetimeMs: undefined, content: hash(fields) }
}

/** A field for each pattern: four fields of one pattern would let the last one that was learned replace all others. */
export function learningKey(agent: string, rows: readonly LearningTableRow[]): Unversioned {
  const fields = rows.map(({ pattern, accuracy, sampleSize, updatedAt }) => {
    const value = { pattern, accuracy, sample_size: sampleSize, last_updated: isoTime(updatedAt) }
    return [pattern, JSON.stringify(value)] as const
  })
  const key = projections.learning.key({ agent_type: agent })
  return { key, lifetimeMs: undefined, content: { type: 'hash', fields } }
}
