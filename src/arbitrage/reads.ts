// What the API asks of this context.
import { count, desc, isNull, type Tx } from '../db/index.ts'
import type { Execution } from './store.ts'

export type OpportunityRow = Tx['t']['opportunities']['$inferSelect']

/** Newest first. */
export const latestOpportunities = (tx: Tx, limit: number): Promise<OpportunityRow[]> =>
  tx.sql
    .select()
    .from(tx.t.opportunities)
    .orderBy(desc(tx.t.opportunities.openedAt), desc(tx.t.opportunities.id))
    .limit(limit)

/** Newest first, refusals included. */
export const latestExecutions = (tx: Tx, limit: number): Promise<Execution[]> =>
  tx.sql
    .select()
    .from(tx.t.executions)
    .orderBy(desc(tx.t.executions.decidedAt), desc(tx.t.executions.opportunityId))
    .limit(limit)

export interface ExecutionTotals {
  readonly opportunities: number
  /** Seen and not gone yet. */
  readonly open: number
  readonly pending: number
  /** Completed ones by outcome, refused ones by reason. */
  readonly completed: Readonly<Record<string, number>>
  readonly refused: Readonly<Record<string, number>>
}

export async function executionTotals(tx: Tx): Promise<ExecutionTotals> {
  const { executions, opportunities } = tx.t
  const rows = await tx.sql
    .select({
      status: executions.status,
      outcome: executions.outcome,
      reason: executions.reason,
      many: count(),
    })
    .from(executions)
    .groupBy(executions.status, executions.outcome, executions.reason)
  const totals = {
    pending: 0,
    completed: {} as Record<string, number>,
    refused: {} as Record<string, number>,
  }
  for (const { status, outcome, reason, many } of rows) {
    if (status === 'pending') totals.pending += many
    else if (status === 'completed') add(totals.completed, outcome ?? 'unknown', many)
    else add(totals.refused, reason ?? 'unknown', many)
  }
  const open = await tx.sql.$count(opportunities, isNull(opportunities.closedAt))
  return { opportunities: await tx.sql.$count(opportunities), open, ...totals }
}

function add(into: Record<string, number>, name: string, many: number): void {
  into[name] = (into[name] ?? 0) + many
}
