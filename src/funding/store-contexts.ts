// What a venue last said of an instrument: the newest by the venue's own time wins, in whatever order it comes. So a
// context that is told twice changes nothing, and needs no row in the inbox: a venue may say one every second.
import type { ContextRow } from '../catalog/index.ts'
import { and, eq, type Tx } from '../db/index.ts'

export type ContextResult = 'new' | 'same' | 'older'

export async function writeContext(tx: Tx, row: ContextRow): Promise<ContextResult> {
  const { sql, t } = tx
  const inserted = await sql
    .insert(t.assetContexts)
    .values(row)
    .onConflictDoNothing()
    .returning({ venue: t.assetContexts.venue })
  if (inserted.length > 0) return 'new'
  const here = and(eq(t.assetContexts.venue, row.venue), eq(t.assetContexts.symbol, row.symbol))
  const [known] = await tx.forUpdate(sql.select().from(t.assetContexts).where(here))
  if (known!.updatedAt > row.updatedAt) return 'older'
  if (isSame(known!, row)) return 'same'
  await sql.update(t.assetContexts).set(row).where(here)
  return 'new'
}

const isSame = (a: ContextRow, b: ContextRow) =>
  (Object.keys(b) as (keyof ContextRow)[]).every((name) => String(a[name]) === String(b[name]))
