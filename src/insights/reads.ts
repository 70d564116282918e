// What others may ask of the records, in the shapes of the catalog's views.
import {
  type CycleRow,
  type LevelsRow,
  levelsLifeMs,
  type MessageRow,
  SCORE_LIFE_MS,
  type ScoreRow,
} from '../catalog/index.ts'
import { desc, eq, type Tx } from '../db/index.ts'

/** What was said with a model, newest first; of equal times what came last. */
export async function messagesOf({ sql, t }: Tx, model: string, limit: number): Promise<MessageRow[]> {
  const { conversationMessages: messages } = t
  const rows = await sql
    .select()
    .from(messages)
    .where(eq(messages.model, model))
    .orderBy(desc(messages.time), desc(messages.change))
    .limit(limit)
  return rows.map(({ change: _, ...row }) => row)
}

/** The newest decision of a model; of equal times that of the highest cycle. Null without one. */
export async function lastCycleOf({ sql, t }: Tx, model: string): Promise<CycleRow | null> {
  const { decisionCycles: cycles } = t
  const [row] = await sql
    .select()
    .from(cycles)
    .where(eq(cycles.model, model))
    .orderBy(desc(cycles.executedAt), desc(cycles.cycle))
    .limit(1)
  if (!row) return null
  const { change: _, ...cycle } = row
  return cycle
}

/** Models that have decided something, by name. */
export async function decidingModels({ sql, t }: Tx): Promise<string[]> {
  const { model } = t.decisionCycles
  const rows = await sql.selectDistinct({ model }).from(t.decisionCycles).orderBy(model)
  return rows.map((row) => row.model)
}

/** The newest scores, those that have ended among them: `endsAt` says which. */
export async function latestScoresOf({ sql, t }: Tx, limit: number): Promise<ScoreRow[]> {
  const { globalScores: scores } = t
  const rows = await sql.select().from(scores).orderBy(desc(scores.time), scores.symbol).limit(limit)
  return rows.map(({ change: _, ...row }) => ({ ...row, endsAt: row.time + SCORE_LIFE_MS }))
}

/** Of each timeframe of a symbol, those that have ended among them. */
export async function levelsOf({ sql, t }: Tx, symbol: string): Promise<LevelsRow[]> {
  const { srLevels: levels } = t
  const rows = await sql.select().from(levels).where(eq(levels.symbol, symbol)).orderBy(levels.timeframe)
  return rows.map(({ change: _, updatedAt: time, ...row }) => {
    const endsAt = time + levelsLifeMs(row.timeframe)
    return { ...row, time, endsAt }
  })
}
