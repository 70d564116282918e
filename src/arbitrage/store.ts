// The only writer of executions and intents. What keeps an opportunity from being executed twice stands here: the
// primary key of `executions`, and `intents` unique by opportunity and leg.
import type { Opportunity, Side } from '../catalog/index.ts'
import { and, asc, eq, type Tx } from '../db/index.ts'
import { type Decimal, decimalText } from '../kernel/index.ts'
import type { Fence } from '../locks/index.ts'
import { clientOrderIdOf, filledOf, type Intent, type Leg } from './orders.ts'
import type { Plan } from './plan.ts'
import type { Denial } from './risk.ts'

export type Execution = Tx['t']['executions']['$inferSelect']

export async function findExecution(tx: Tx, opportunityId: string): Promise<Execution | undefined> {
  const { executions } = tx.t
  const rows = await tx.sql.select().from(executions).where(eq(executions.opportunityId, opportunityId))
  return rows[0]
}

/** Writes the refusal unless the opportunity is decided already; returns whether it did. */
export async function insertRefusal(
  tx: Tx,
  opportunity: Opportunity,
  denial: Denial,
  decidedAt: number,
): Promise<boolean> {
  const { executions } = tx.t
  const rows = await tx.sql
    .insert(executions)
    .values({
      ...identityOf(opportunity),
      status: 'refused',
      reason: denial.code,
      facts: denial.facts,
      decidedAt,
    })
    .onConflictDoNothing()
    .returning({ id: executions.opportunityId })
  return rows.length > 0
}

/** Writes the decision and both intents. Throws DATABASE_CONSTRAINT when the opportunity is decided already. */
export async function insertExecution(
  tx: Tx,
  opportunity: Opportunity,
  plan: Plan,
  fence: Fence,
  decidedAt: number,
): Promise<Intent[]> {
  await tx.sql.insert(tx.t.executions).values({
    ...identityOf(opportunity),
    status: 'pending',
    quantity: decimalText(plan.quantity),
    buyLimit: decimalText(plan.buyLimit),
    sellLimit: decimalText(plan.sellLimit),
    token: fence.token,
    holder: fence.holder,
    decidedAt,
  })
  const { quantity, buyLimit, sellLimit } = plan
  const { buyVenue, sellVenue } = opportunity
  const legs = [
    { leg: 0, venue: buyVenue, side: 'buy' as const, quantity, limitPrice: buyLimit },
    { leg: 1, venue: sellVenue, side: 'sell' as const, quantity, limitPrice: sellLimit },
  ]
  const intents: Intent[] = []
  for (const leg of legs) intents.push(await insertIntent(tx, opportunity, leg, fence, decidedAt))
  return intents
}

export interface IntentTerms {
  readonly leg: number
  readonly venue: string
  readonly side: Side
  readonly quantity: Decimal
  readonly limitPrice: Decimal | undefined
}

/** Throws DATABASE_CONSTRAINT when the leg is decided already. */
export async function insertIntent(
  tx: Tx,
  { id, symbol }: Opportunity,
  { leg, venue, side, quantity, limitPrice }: IntentTerms,
  { token }: Fence,
  decidedAt: number,
): Promise<Intent> {
  const { intents } = tx.t
  const rows = await tx.sql
    .insert(intents)
    .values({
      clientOrderId: clientOrderIdOf(id, leg),
      opportunityId: id,
      leg,
      venue,
      symbol,
      side,
      quantity: decimalText(quantity),
      limitPrice: limitPrice === undefined ? null : decimalText(limitPrice),
      token,
      status: 'pending',
      filled: '0',
      decidedAt,
    })
    .returning()
  return rows[0]!
}

/** Takes a pending execution over: its rows carry the new holder's token. Returns its intents in order of leg. */
export async function adoptExecution(tx: Tx, opportunityId: string, fence: Fence): Promise<Intent[]> {
  const { executions, intents } = tx.t
  const { token, holder } = fence
  await tx.sql.update(executions).set({ token, holder }).where(eq(executions.opportunityId, opportunityId))
  await tx.sql.update(intents).set({ token }).where(eq(intents.opportunityId, opportunityId))
  return tx.sql
    .select()
    .from(intents)
    .where(eq(intents.opportunityId, opportunityId))
    .orderBy(asc(intents.leg))
}

/** Writes what the venue answered. */
export async function completeIntents(tx: Tx, legs: readonly Leg[]): Promise<void> {
  const { intents } = tx.t
  for (const { intent, result } of legs) {
    const { status, reason } = result
    await tx.sql
      .update(intents)
      .set({ status, reason: reason ?? null, filled: decimalText(filledOf(result)) })
      .where(eq(intents.clientOrderId, intent.clientOrderId))
  }
}

/** Ends a pending execution; false when it has ended already. */
export async function completeExecution(
  tx: Tx,
  opportunityId: string,
  end: { readonly outcome: string; readonly reason: string | undefined; readonly completedAt: number },
): Promise<boolean> {
  const { executions } = tx.t
  const { outcome, reason, completedAt } = end
  const rows = await tx.sql
    .update(executions)
    .set({ status: 'completed', outcome, reason: reason ?? null, completedAt })
    .where(and(eq(executions.opportunityId, opportunityId), eq(executions.status, 'pending')))
    .returning({ id: executions.opportunityId })
  return rows.length > 0
}

const identityOf = ({ id, symbol, buyVenue, sellVenue, simulated }: Opportunity) => ({
  opportunityId: id,
  symbol,
  buyVenue,
  sellVenue,
  simulated,
})
