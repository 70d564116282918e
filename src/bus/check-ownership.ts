// A lease in Redis cannot stop a process that was paused in the middle of a handler. The database can: it keeps the
// highest epoch that has written for a partition and refuses every lower one in the transaction of the effect.
import { and, eq, lte, sql, type Tx } from '../db/index.ts'
import { SluiceError } from '../kernel/index.ts'
import type { Ownership } from './bus.ts'

/**
 * Called first in the transaction of an effect. Throws OWNERSHIP_LOST when a later owner of the partition has written;
 * otherwise no later one writes before this transaction ends.
 */
export async function checkOwnership(tx: Tx, { resource, epoch, owner }: Ownership): Promise<void> {
  const { fences } = tx.t
  const mine = tx.sql.select({ token: fences.token }).from(fences)
  // Locked only when it is ours: several first effects of a new owner that all shared the row of the former one would
  // wait for each other when each wants to change it (measured: a deadlock with 16 at once, DATABASE_BUSY after 5 s).
  const isOurs = and(eq(fences.resource, resource), eq(fences.token, epoch))
  if ((await tx.forShare(mine.where(isOurs))).length === 1) return
  const written = await tx.sql
    .insert(fences)
    .values({ resource, token: epoch, holder: owner })
    .onConflictDoUpdate({
      target: fences.resource,
      set: { token: sql`excluded.token`, holder: sql`excluded.holder` },
      setWhere: lte(fences.token, epoch),
    })
    .returning({ token: fences.token })
  if (written.length === 1) return
  const [latest] = await tx.sql
    .select({ token: fences.token })
    .from(fences)
    .where(eq(fences.resource, resource))
  throw new SluiceError('OWNERSHIP_LOST', `${resource} has a later owner than epoch ${epoch}.`, {
    ...{ resource, epoch, owner, latest: latest?.token },
  })
}
