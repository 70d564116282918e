// What the projections of insights are made of. Rows are found by the number of the change that wrote them: a number that
// can be read has all smaller ones in front of it, so nothing that was booked meanwhile is passed over.
import { and, desc, eq, gt, max, type Tx } from '../db/index.ts'

/** What was written after a change, oldest first, and the last change among it. */
export interface Page<R> {
  readonly rows: readonly R[]
  readonly last: number
}

type Row<T extends keyof Tx['t']> = Tx['t'][T]['$inferSelect']
export type CycleTableRow = Omit<Row<'decisionCycles'>, 'change'>
export type TraderTableRow = Row<'traderStates'>
export type ScoreTableRow = Row<'globalScores'>
export type LevelsTableRow = Row<'srLevels'>
export type AnalysisTableRow = Row<'agentAnalyses'>
export type MemoryTableRow = Row<'agentMemory'>
export type PreferenceTableRow = Row<'userPreferences'>
export type LearningTableRow = Row<'agentLearnings'>

const ROWS = 1_000
/** Of which only the names are read. */
const NAMES = 20_000

const pageOf = <R extends { readonly change: number }>(rows: readonly R[], after: number): Page<R> => ({
  rows,
  last: rows.at(-1)?.change ?? after,
})

export const changedScores = async ({ sql, t: { globalScores: t } }: Tx, after: number) =>
  pageOf(await sql.select().from(t).where(gt(t.change, after)).orderBy(t.change).limit(ROWS), after)

export const changedLevels = async ({ sql, t: { srLevels: t } }: Tx, after: number) =>
  pageOf(await sql.select().from(t).where(gt(t.change, after)).orderBy(t.change).limit(ROWS), after)

export const changedMemory = async ({ sql, t: { agentMemory: t } }: Tx, after: number) =>
  pageOf(await sql.select().from(t).where(gt(t.change, after)).orderBy(t.change).limit(ROWS), after)

export const changedPreferences = async ({ sql, t: { userPreferences: t } }: Tx, after: number) =>
  pageOf(await sql.select().from(t).where(gt(t.change, after)).orderBy(t.change).limit(ROWS), after)

type Names = Page<{ readonly name: string; readonly change: number }>

/** Models. */
export async function changedConversations(tx: Tx, after: number): Promise<Names> {
  const t = tx.t.conversationMessages
  const found = tx.sql.select({ name: t.model, change: t.change }).from(t).where(gt(t.change, after))
  return pageOf(await found.orderBy(t.change).limit(NAMES), after)
}

/** Models. */
export async function changedDecisions(tx: Tx, after: number): Promise<Names> {
  const t = tx.t.decisionCycles
  const found = tx.sql.select({ name: t.model, change: t.change }).from(t).where(gt(t.change, after))
  return pageOf(await found.orderBy(t.change).limit(NAMES), after)
}

/** Traders. */
export async function changedTraders(tx: Tx, after: number): Promise<Names> {
  const t = tx.t.traderStates
  const found = tx.sql.select({ name: t.trader, change: t.change }).from(t).where(gt(t.change, after))
  return pageOf(await found.orderBy(t.change).limit(NAMES), after)
}

/** Agents. */
export async function changedLearnings(tx: Tx, after: number): Promise<Names> {
  const t = tx.t.agentLearnings
  const found = tx.sql.select({ name: t.agent, change: t.change }).from(t).where(gt(t.change, after))
  return pageOf(await found.orderBy(t.change).limit(NAMES), after)
}

// A name holds no control character.
const BETWEEN = '\n'

/** Symbols and agents, as `newestAnalysis` takes them. */
export async function changedAnalyses(tx: Tx, after: number): Promise<Names> {
  const t = tx.t.agentAnalyses
  const columns = { symbol: t.symbol, agent: t.agent, change: t.change }
  const found = tx.sql.select(columns).from(t).where(gt(t.change, after))
  const rows = await found.orderBy(t.change).limit(NAMES)
  return pageOf(
    rows.map(({ symbol, agent, change }) => ({ name: `${symbol}${BETWEEN}${agent}`, change })),
    after,
  )
}

/** There is one: analyses are never deleted. */
export async function newestAnalysis({ sql, t: { agentAnalyses: t } }: Tx, name: string) {
  const [symbol = '', agent = ''] = name.split(BETWEEN)
  const found = sql
    .select()
    .from(t)
    .where(and(eq(t.symbol, symbol), eq(t.agent, agent)))
  const [row] = await found.orderBy(desc(t.createdAt)).limit(1)
  return row!
}

export async function traderOf({ sql, t: { traderStates: t } }: Tx, trader: string) {
  const [row] = await sql.select().from(t).where(eq(t.trader, trader))
  return row
}

export const learningsOf = ({ sql, t: { agentLearnings: t } }: Tx, agent: string) =>
  sql.select().from(t).where(eq(t.agent, agent)).orderBy(t.pattern)

/** Undefined without a score. */
export async function newestScoreTime({ sql, t: { globalScores: t } }: Tx): Promise<number | undefined> {
  const [row] = await sql.select({ time: max(t.time) }).from(t)
  return row?.time ?? undefined
}
