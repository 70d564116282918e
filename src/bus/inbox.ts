// The inbox makes an effect happen once: its row is written in the transaction of the effect, under a unique key.
import { lt, type Tx } from '../db/index.ts'

/**
 * True when the group meets the event for the first time; false when its effect is in the database already. Call it
 * first in the transaction of the effect.
 * @param at ms UTC, for retention.
 */
export async function firstTime(tx: Tx, group: string, eventId: string, at: number): Promise<boolean> {
  const rows = await tx.sql
    .insert(tx.t.inbox)
    .values({ consumerGroup: group, eventId, at })
    .onConflictDoNothing()
    .returning({ eventId: tx.t.inbox.eventId })
  return rows.length === 1
}

/** Deletes the rows of events that happened before `beforeMs`; returns how many. Keep them longer than any redelivery. */
export async function forgetInbox(tx: Tx, beforeMs: number): Promise<number> {
  const { inbox } = tx.t
  const rows = await tx.sql.delete(inbox).where(lt(inbox.at, beforeMs)).returning({ eventId: inbox.eventId })
  return rows.length
}
