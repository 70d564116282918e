// Comparisons as rows: how many records or reads were compared, how many differed, and the first of those. A run names
// the revision under which it began, because it proves nothing about what came after another change.
import { and, asc, desc, eq, isNotNull, sql as raw, type Tx } from '../db/index.ts'
import { deriveId } from '../kernel/index.ts'

export interface Run {
  readonly id: string
  readonly feature: string
  readonly revision: number
  /** `full` compares everything that is kept, `shadow` what was read while the revision was in force. */
  readonly kind: 'full' | 'shadow'
  /** ms UTC. */
  readonly startedAt: number
  /** Undefined while it runs, and for ever when it was killed; always undefined of a shadow run. */
  readonly endedAt: number | undefined
  readonly compared: number
  readonly different: number
}

export interface Difference {
  /** Names the record or the read in both stores. */
  readonly key: string
  /** Canonical texts; null where the record is missing. */
  readonly legacy: string | null
  readonly current: string | null
}

/** Rows kept of each run; `different` counts all. */
export const DIFFERENCES_KEPT = 1_000

type Row = Omit<Run, 'endedAt'> & { endedAt: number | null }
const runOf = ({ endedAt, ...row }: Row): Run => ({ ...row, endedAt: endedAt ?? undefined })

export async function insertRun(
  { sql, t }: Tx,
  run: Pick<Run, 'id' | 'feature' | 'revision' | 'startedAt'>,
): Promise<void> {
  await sql.insert(t.parityRuns).values({ ...run, kind: 'full', compared: 0, different: 0 })
}

export async function updateRun(
  { sql, t }: Tx,
  { id, ...progress }: Pick<Run, 'id' | 'compared' | 'different'> & { endedAt?: number },
): Promise<void> {
  await sql.update(t.parityRuns).set(progress).where(eq(t.parityRuns.id, id))
}

export async function insertDifferences(
  { sql, t }: Tx,
  run: string,
  differences: readonly Difference[],
): Promise<void> {
  if (differences.length === 0) return
  const rows = differences.map((difference) => ({ run, ...difference }))
  await sql.insert(t.parityDifferences).values(rows).onConflictDoNothing()
}

/** Adds to what the reads of a revision have shown, all processes together. */
export async function addShadow(
  { sql, t }: Tx,
  { feature, revision }: Pick<Run, 'feature' | 'revision'>,
  more: { readonly compared: number; readonly different: number; readonly at: number },
): Promise<string> {
  const id = deriveId('shadow', feature, revision)
  const { compared, different, at } = more
  await sql
    .insert(t.parityRuns)
    .values({ id, feature, revision, kind: 'shadow', startedAt: at, compared, different })
    .onConflictDoUpdate({
      target: t.parityRuns.id,
      set: {
        compared: raw`${t.parityRuns.compared} + excluded.compared`,
        different: raw`${t.parityRuns.different} + excluded.different`,
      },
    })
  return id
}

export interface RunQuery {
  readonly feature: string
  readonly kind?: Run['kind']
  readonly revision?: number
  /** Only runs that came to their end. */
  readonly ended?: boolean
}

export async function latestRun(
  { sql, t }: Tx,
  { feature, kind, revision, ended = false }: RunQuery,
): Promise<Run | undefined> {
  const { parityRuns: runs } = t
  const [row] = await sql
    .select()
    .from(runs)
    .where(
      and(
        eq(runs.feature, feature),
        kind && eq(runs.kind, kind),
        revision === undefined ? undefined : eq(runs.revision, revision),
        ended ? isNotNull(runs.endedAt) : undefined,
      ),
    )
    .orderBy(desc(runs.startedAt), desc(runs.id))
    .limit(1)
  return row && runOf(row)
}

export async function findRun({ sql, t }: Tx, id: string): Promise<Run | undefined> {
  const [row] = await sql.select().from(t.parityRuns).where(eq(t.parityRuns.id, id))
  return row && runOf(row)
}

/** In the order of their keys. */
export function readDifferences({ sql, t }: Tx, run: string, limit: number): Promise<Difference[]> {
  const { key, legacy, current } = t.parityDifferences
  return sql
    .select({ key, legacy, current })
    .from(t.parityDifferences)
    .where(eq(t.parityDifferences.run, run))
    .orderBy(asc(key))
    .limit(limit)
}
