// The only writer of the cutovers and their history. A feature without a row was never used by its phase; it is in the
// first one, revision 0.
import { and, desc, eq, inArray, type Tx } from '../db/index.ts'
import { SluiceError } from '../kernel/index.ts'
import { isPhase, PHASES, type Phase } from './phase.ts'

export interface FeatureState {
  readonly feature: string
  /** False before a process goes by its phase for the first time. */
  readonly isBegun: boolean
  readonly phase: Phase
  /** Raised by every change; 0 before the first. */
  readonly revision: number
  /** ms UTC; 0 before the first change. */
  readonly changedAt: number
  /** Both stores hold everything, and both are written. */
  readonly complete: boolean
  /** The last part that an unfinished copy has brought over. */
  readonly copied: string | undefined
}

export interface FeatureChange {
  readonly feature: string
  readonly revision: number
  readonly from: Phase
  readonly to: Phase
  readonly reason: string
  /** ms UTC. */
  readonly at: number
}

const firstState = (feature: string): FeatureState => ({
  ...{ feature, isBegun: false, phase: PHASES[0], revision: 0, changedAt: 0 },
  ...{ complete: false, copied: undefined },
})

type Row = Omit<FeatureState, 'copied' | 'isBegun'> & { copied: string | null }

function stateOf({ copied, ...row }: Row): FeatureState {
  if (isPhase(row.phase)) return { ...row, isBegun: true, copied: copied ?? undefined }
  const message = `${row.feature} is in a phase that this program does not know: ${row.phase}. Start a newer one.`
  throw new SluiceError('CUTOVER_UNKNOWN', message, { feature: row.feature })
}

export async function readStates(
  { sql, t }: Tx,
  features: readonly string[],
): Promise<Map<string, FeatureState>> {
  const rows = await sql
    .select()
    .from(t.cutovers)
    .where(inArray(t.cutovers.feature, [...features]))
  const states = new Map(features.map((feature) => [feature, firstState(feature)]))
  for (const row of rows) states.set(row.feature, stateOf(row))
  return states
}

export async function readState(tx: Tx, feature: string): Promise<FeatureState> {
  return (await readStates(tx, [feature])).get(feature)!
}

/** Locks it until the transaction ends, once there is a row. */
export async function lockState(tx: Tx, feature: string): Promise<FeatureState> {
  const { cutovers } = tx.t
  const [row] = await tx.forUpdate(tx.sql.select().from(cutovers).where(eq(cutovers.feature, feature)))
  return row ? stateOf(row) : firstState(feature)
}

export interface Change {
  readonly to: Phase
  readonly complete: boolean
  readonly reason: string
  /** ms UTC. */
  readonly at: number
}

/** A feature that was never used; false when it was meanwhile. */
export async function insertState({ sql, t }: Tx, { isBegun: _, copied: __, ...row }: FeatureState) {
  const rows = await sql.insert(t.cutovers).values(row).onConflictDoNothing().returning()
  return rows.length === 1
}

/** Rejects with CUTOVER_CONFLICT when the feature is not in the state that was seen any more. */
export async function changeState(tx: Tx, seen: FeatureState, change: Change): Promise<FeatureState> {
  const { sql, t } = tx
  const { feature } = seen
  const { to, complete, reason, at } = change
  const next = { phase: to, revision: seen.revision + 1, changedAt: at, complete, copied: null }
  if (seen.revision === 0) await insertState(tx, seen)
  const changed = await sql.update(t.cutovers).set(next).where(unchanged(tx, seen)).returning()
  if (changed.length === 0) throw await conflict(tx, seen)
  await sql
    .insert(t.cutoverChanges)
    .values({ feature, revision: next.revision, from: seen.phase, to, reason, at })
  return stateOf({ feature, ...next })
}

/** Notes how far a copy is; false when the feature was changed meanwhile. */
export async function noteCopied(tx: Tx, seen: FeatureState, part: string): Promise<boolean> {
  const rows = await tx.sql
    .update(tx.t.cutovers)
    .set({ copied: part })
    .where(unchanged(tx, seen))
    .returning({ feature: tx.t.cutovers.feature })
  return rows.length === 1
}

const unchanged = ({ t }: Tx, { feature, revision }: FeatureState) =>
  and(eq(t.cutovers.feature, feature), eq(t.cutovers.revision, revision))

export async function conflict(tx: Tx, seen: FeatureState): Promise<SluiceError> {
  const now = await readState(tx, seen.feature)
  const [last] = await readChanges(tx, seen.feature, 1)
  const why = last ? ` Last reason: ${last.reason}` : ''
  return new SluiceError(
    'CUTOVER_CONFLICT',
    `${seen.feature} is in ${now.phase}, revision ${now.revision}; revision ${seen.revision} was to be changed. Somebody else was faster.${why}`,
    { feature: seen.feature, phase: now.phase, revision: now.revision },
  )
}

/** Newest first. */
export function readChanges({ sql, t }: Tx, feature: string, limit: number): Promise<FeatureChange[]> {
  return sql
    .select()
    .from(t.cutoverChanges)
    .where(eq(t.cutoverChanges.feature, feature))
    .orderBy(desc(t.cutoverChanges.revision))
    .limit(limit)
}
