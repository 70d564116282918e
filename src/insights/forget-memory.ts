// Memory that has ended is deleted; everything else is kept.
import { asc, type Database, inArray, lte } from '../db/index.ts'

// A burst of short sessions ends at once; one delete of all would hold up every other writer.
const FORGOTTEN_AT_ONCE = 1_000

/** Deletes memory that ends at `nowMs` or before, some at a time until the signal aborts; answers how many. */
export async function forgetMemory(database: Database, nowMs: number, signal: AbortSignal): Promise<number> {
  for (let removed = 0; ; ) {
    const { length } = await database.write(async ({ sql, t: { agentMemory: t } }) => {
      const changes = sql
        .select({ change: t.change })
        .from(t)
        .where(lte(t.endsAt, nowMs))
        .orderBy(asc(t.endsAt))
      return sql
        .delete(t)
        .where(inArray(t.change, changes.limit(FORGOTTEN_AT_ONCE)))
        .returning({ change: t.change })
    })
    removed += length
    if (length < FORGOTTEN_AT_ONCE || signal.aborted) return removed
  }
}
