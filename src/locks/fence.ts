// Fencing tokens. The lock saves work; the token makes it safe: it is issued by the database that also records the
// effect, so a former holder that wakes up late is refused there, whatever Redis forgot meanwhile.
import { and, eq, sql, type Tx } from '../db/index.ts'
import { SluiceError } from '../kernel/index.ts'

/** Proof of having held a resource last. */
export interface Fence {
  readonly resource: string
  /** Counts up with every holder of the resource. */
  readonly token: number
  readonly holder: string
}

/** Makes `holder` the last one; every earlier token of the resource is refused once this commits. */
export async function issueFence(tx: Tx, resource: string, holder: string): Promise<Fence> {
  const { fences } = tx.t
  const rows = await tx.sql
    .insert(fences)
    .values({ resource, token: 1, holder })
    .onConflictDoUpdate({
      target: fences.resource,
      set: { token: sql`${fences.token} + 1`, holder: sql`excluded.holder` },
    })
    .returning({ token: fences.token })
  return { resource, token: rows[0]!.token, holder }
}

/**
 * Called first in the transaction of an effect. Throws FENCED when another has held the resource since; otherwise
 * no other token is issued before this transaction ends.
 */
export async function checkFence(tx: Tx, { resource, token, holder }: Fence): Promise<void> {
  const { fences } = tx.t
  const mine = and(eq(fences.resource, resource), eq(fences.token, token), eq(fences.holder, holder))
  const rows = await tx.forUpdate(tx.sql.select({ token: fences.token }).from(fences).where(mine))
  if (rows.length > 0) return
  const facts = { resource, token, holder }
  throw new SluiceError('FENCED', `Token ${token} of ${resource} is no longer the newest.`, facts)
}
