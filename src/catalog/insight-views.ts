// Cached answers about models and analyses. What ends by its own age carries the moment at which it does, and whoever
// answers leaves out what has ended: an answer that was loaded before it may be given after it.
import { z } from 'zod'
import { defineView, dropKey, dropTag, LIFETIMES } from '../cache/index.ts'

const timeMs = z.number().int()

const messageRow = z.object({
  id: z.string(),
  model: z.string(),
  topic: z.string(),
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
  time: timeMs,
})
export type MessageRow = z.infer<typeof messageRow>

const cycleRow = z.object({
  model: z.string(),
  cycle: z.number().int(),
  promptDigest: z.string(),
  trace: z.string(),
  decisions: z.unknown(),
  success: z.boolean(),
  error: z.string(),
  executedAt: timeMs,
})
export type CycleRow = z.infer<typeof cycleRow>

const scoreRow = z.object({
  symbol: z.string(),
  score: z.number(),
  agentScores: z.record(z.string(), z.unknown()),
  time: timeMs,
  endsAt: timeMs,
})
export type ScoreRow = z.infer<typeof scoreRow>

const levelsRow = z.object({
  symbol: z.string(),
  timeframe: z.string(),
  levels: z.unknown(),
  time: timeMs,
  endsAt: timeMs,
})
export type LevelsRow = z.infer<typeof levelsRow>

const messagesTag = (model: string) => `messages:${model}`
const SCORES = 'scores'

export const latestMessages = defineView<[model: string, limit: number], MessageRow[]>({
  name: 'messages',
  about: 'What was said with a model, newest first.',
  shape: z.array(messageRow),
  parts: ['model', 'limit'],
  lifetimeMs: LIFETIMES.short,
  tags: ([model]) => [messagesTag(model)],
})

export const lastCycle = defineView<[model: string], CycleRow | null>({
  name: 'cycle',
  about: 'The newest decision of a model.',
  shape: cycleRow.nullable(),
  parts: ['model'],
  lifetimeMs: LIFETIMES.short,
})

export const latestScores = defineView<[limit: number], ScoreRow[]>({
  name: 'scores',
  about: 'Scores of symbols, newest first.',
  shape: z.array(scoreRow),
  parts: ['limit'],
  lifetimeMs: LIFETIMES.short,
  tags: () => [SCORES],
})

export const symbolLevels = defineView<[symbol: string], LevelsRow[]>({
  name: 'levels',
  about: 'Support and resistance of a symbol in each timeframe.',
  shape: z.array(levelsRow),
  parts: ['symbol'],
  lifetimeMs: LIFETIMES.short,
})

/** What a record of a kind changes; the other kinds have no view. */
export const INSIGHT_DROPS = {
  message: ({ model }: { readonly model: string }) => dropTag(messagesTag(model)),
  decision: ({ model }: { readonly model: string }) => dropKey(lastCycle, [model]),
  score: () => dropTag(SCORES),
  levels: ({ symbol }: { readonly symbol: string }) => dropKey(symbolLevels, [symbol]),
} as const
