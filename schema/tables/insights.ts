// What models say and decide, and what analyses know. Written by the insights context alone. `change` is the number of
// the change that wrote the row, counted for each kind under a lock that is held until the commit: so a number that can be
// read has all smaller ones in front of it, and who remembers the last one finds what is new by it.
import type { Words } from '../words/postgres.ts'

/** The last change of each kind of record. */
export const insightChanges = (w: Words) =>
  w.table('insight_changes', {
    kind: w.text('kind').primaryKey(),
    change: w.integer('change').notNull(),
  })

/** Never changed, never deleted. */
export const conversationMessages = (w: Words) =>
  w.table(
    'conversation_messages',
    {
      /** Derived from everything that was said. */
      id: w.text('id').primaryKey(),
      model: w.text('model').notNull(),
      /** Which conversation of the model. */
      topic: w.text('topic').notNull(),
      role: w.oneOf('role', ['system', 'user', 'assistant']).notNull(),
      content: w.text('content').notNull(),
      time: w.instant('time').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [
      w.index('conversation_messages_model_time').on(t.model, t.time),
      w.index('conversation_messages_change').on(t.change),
    ],
  )

/** Never deleted. */
export const decisionCycles = (w: Words) =>
  w.table(
    'decision_cycles',
    {
      model: w.text('model').notNull(),
      cycle: w.integer('cycle').notNull(),
      promptDigest: w.text('prompt_digest').notNull(),
      /** The model's reasoning. */
      trace: w.text('trace').notNull(),
      decisions: w.json<unknown>('decisions').notNull(),
      success: w.boolean('success').notNull(),
      error: w.text('error').notNull(),
      executedAt: w.instant('executed_at').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [
      w.primaryKey({ columns: [t.model, t.cycle] }),
      w.index('decision_cycles_model_executed_at').on(t.model, t.executedAt),
      w.index('decision_cycles_change').on(t.change),
    ],
  )

export const traderStates = (w: Words) =>
  w.table(
    'trader_states',
    {
      trader: w.text('trader').primaryKey(),
      exchangeProvider: w.text('exchange_provider').notNull(),
      marketProvider: w.text('market_provider').notNull(),
      allocationPct: w.decimal('allocation_pct').notNull(),
      cooldown: w.json<Record<string, unknown>>('cooldown').notNull(),
      riskGuards: w.json<Record<string, unknown>>('risk_guards').notNull(),
      lastDecisionAt: w.instant('last_decision_at'),
      pauseUntil: w.instant('pause_until'),
      updatedAt: w.instant('updated_at').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [w.index('trader_states_change').on(t.change)],
  )

export const globalScores = (w: Words) =>
  w.table(
    'global_scores',
    {
      symbol: w.text('symbol').primaryKey(),
      score: w.float('score').notNull(),
      agentScores: w.json<Record<string, unknown>>('agent_scores').notNull(),
      time: w.instant('time').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [w.index('global_scores_time').on(t.time), w.index('global_scores_change').on(t.change)],
  )

/** Support and resistance. */
export const srLevels = (w: Words) =>
  w.table(
    'sr_levels',
    {
      symbol: w.text('symbol').notNull(),
      timeframe: w.text('timeframe').notNull(),
      levels: w.json<unknown>('levels').notNull(),
      updatedAt: w.instant('updated_at').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.symbol, t.timeframe] }), w.index('sr_levels_change').on(t.change)],
  )

/** Every analysis, never deleted; the newest of a symbol and agent is in force. */
export const agentAnalyses = (w: Words) =>
  w.table(
    'agent_analyses',
    {
      symbol: w.text('symbol').notNull(),
      agent: w.text('agent_type').notNull(),
      score: w.float('score').notNull(),
      confidence: w.float('confidence').notNull(),
      signals: w.json<unknown>('signals').notNull(),
      reasoning: w.text('reasoning').notNull(),
      createdAt: w.instant('created_at').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [
      w.primaryKey({ columns: [t.symbol, t.agent, t.createdAt] }),
      w.index('agent_analyses_change').on(t.change),
    ],
  )

/** Deleted once it has ended. */
export const agentMemory = (w: Words) =>
  w.table(
    'agent_memory',
    {
      /** The namespace: `session`, `working` and so on. */
      type: w.text('context_type').notNull(),
      key: w.text('key').notNull(),
      value: w.json<unknown>('value').notNull(),
      time: w.instant('time').notNull(),
      endsAt: w.instant('ends_at').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [
      w.primaryKey({ columns: [t.type, t.key] }),
      w.index('agent_memory_ends_at').on(t.endsAt),
      w.index('agent_memory_change').on(t.change),
    ],
  )

export const userPreferences = (w: Words) =>
  w.table(
    'user_preferences',
    {
      user: w.text('user_id').notNull(),
      key: w.text('pref_key').notNull(),
      value: w.json<unknown>('value').notNull(),
      updatedAt: w.instant('updated_at').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.user, t.key] }), w.index('user_preferences_change').on(t.change)],
  )

export const agentLearnings = (w: Words) =>
  w.table(
    'agent_learnings',
    {
      agent: w.text('agent_type').notNull(),
      pattern: w.text('pattern').notNull(),
      /** As the agent measures it. */
      accuracy: w.float('accuracy').notNull(),
      sampleSize: w.integer('sample_size').notNull(),
      updatedAt: w.instant('last_updated').notNull(),
      change: w.integer('change').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.agent, t.pattern] }), w.index('agent_learnings_change').on(t.change)],
  )
