// Keeps every opportunity with its life and best edge. Safe in any order and any number of times: `closed` wins.
import type { Opportunity } from '../catalog/index.ts'
import type { Tx } from '../db/index.ts'

export async function recordOpportunity(tx: Tx, opportunity: Opportunity): Promise<void> {
  const { opportunities } = tx.t
  const { phase, openedAt, lastSeenAt, ...rest } = opportunity
  const end = {
    lastSeenAt: Math.round(lastSeenAt),
    closedAt: phase === 'closed' ? Math.round(lastSeenAt) : null,
    reason: opportunity.reason,
    bestEdgeBps: opportunity.bestEdgeBps,
  }
  const insert = tx.sql.insert(opportunities).values({ ...rest, openedAt: Math.round(openedAt), ...end })
  if (phase === 'opened') await insert.onConflictDoNothing()
  else await insert.onConflictDoUpdate({ target: opportunities.id, set: end })
}
