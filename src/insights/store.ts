// The only writer of the tables of insights. One statement decides which of two records is newer, so writers of one key
// need no lock of their own: an older one finds that nothing was written. Of equal times the later one counts.
import type { InsightKind, InsightRecord, MessageRecord, RecordOf } from '../catalog/index.ts'
import { lte, sql as raw, type Tx } from '../db/index.ts'
import { deriveId } from '../kernel/index.ts'

/**
 * Takes the next `count` numbers of a kind and answers the last. They become visible in their order, because the row is
 * locked until the commit; so the bookings of one kind go one behind the other.
 */
export async function nextChange({ sql, t }: Tx, kind: InsightKind, count = 1): Promise<number> {
  const { insightChanges } = t
  const [row] = await sql
    .insert(insightChanges)
    .values({ kind, change: count })
    .onConflictDoUpdate({
      target: insightChanges.kind,
      set: { change: raw`${insightChanges.change} + ${count}` },
    })
    .returning({ change: insightChanges.change })
  return row!.change
}

const messageId = ({ model, topic, role, content, time }: MessageRecord): string =>
  deriveId('message', model, topic, role, time, content)

// Seven columns each: far below the 32,766 parameters of one SQLite statement.
const INSERT_MAX = 1_000

/** Answers those that were new, in their order. */
export async function insertMessages(tx: Tx, messages: readonly MessageRecord[]): Promise<MessageRecord[]> {
  const byId = new Map(messages.map((message) => [messageId(message), message]))
  const first = (await nextChange(tx, 'message', byId.size)) - byId.size + 1
  const rows = [...byId].map(([id, { kind: _, ...message }], at) => ({ id, ...message, change: first + at }))
  const { conversationMessages } = tx.t
  const inserted = new Set<string>()
  for (let from = 0; from < rows.length; from += INSERT_MAX) {
    const found = await tx.sql
      .insert(conversationMessages)
      .values(rows.slice(from, from + INSERT_MAX))
      .onConflictDoNothing()
      .returning({ id: conversationMessages.id })
    for (const { id } of found) inserted.add(id)
  }
  return [...byId].filter(([id]) => inserted.has(id)).map(([, message]) => message)
}

type Writers = {
  readonly [K in Exclude<InsightKind, 'message'>]: (
    tx: Tx,
    record: RecordOf<K>,
    change: number,
  ) => Promise<readonly unknown[]>
}

const WRITERS: Writers = {
  decision({ sql, t: { decisionCycles: t } }, { kind: _, time: executedAt, ...rest }, change) {
    const row = { ...rest, executedAt, change }
    const isNewer = lte(t.executedAt, executedAt)
    return sql
      .insert(t)
      .values(row)
      .onConflictDoUpdate({ target: [t.model, t.cycle], set: row, setWhere: isNewer })
      .returning({ change: t.change })
  },
  trader({ sql, t: { traderStates: t } }, { kind: _, time: updatedAt, ...rest }, change) {
    const row = { ...rest, updatedAt, change }
    const isNewer = lte(t.updatedAt, updatedAt)
    return sql
      .insert(t)
      .values(row)
      .onConflictDoUpdate({ target: t.trader, set: row, setWhere: isNewer })
      .returning({ change: t.change })
  },
  score({ sql, t: { globalScores: t } }, { kind: _, ...rest }, change) {
    const row = { ...rest, change }
    const isNewer = lte(t.time, rest.time)
    return sql
      .insert(t)
      .values(row)
      .onConflictDoUpdate({ target: t.symbol, set: row, setWhere: isNewer })
      .returning({ change: t.change })
  },
  levels({ sql, t: { srLevels: t } }, { kind: _, time: updatedAt, ...rest }, change) {
    const row = { ...rest, updatedAt, change }
    const isNewer = lte(t.updatedAt, updatedAt)
    return sql
      .insert(t)
      .values(row)
      .onConflictDoUpdate({ target: [t.symbol, t.timeframe], set: row, setWhere: isNewer })
      .returning({ change: t.change })
  },
  // Every one is kept; another of the same time takes its place.
  analysis({ sql, t: { agentAnalyses: t } }, { kind: _, time: createdAt, ...rest }, change) {
    const row = { ...rest, createdAt, change }
    return sql
      .insert(t)
      .values(row)
      .onConflictDoUpdate({ target: [t.symbol, t.agent, t.createdAt], set: row })
      .returning({ change: t.change })
  },
  memory({ sql, t: { agentMemory: t } }, { kind: _, ttlMs, ...rest }, change) {
    const row = { ...rest, endsAt: rest.time + ttlMs, change }
    const isNewer = lte(t.time, rest.time)
    return sql
      .insert(t)
      .values(row)
      .onConflictDoUpdate({ target: [t.type, t.key], set: row, setWhere: isNewer })
      .returning({ change: t.change })
  },
  preference({ sql, t: { userPreferences: t } }, { kind: _, time: updatedAt, ...rest }, change) {
    const row = { ...rest, updatedAt, change }
    const isNewer = lte(t.updatedAt, updatedAt)
    return sql
      .insert(t)
      .values(row)
      .onConflictDoUpdate({ target: [t.user, t.key], set: row, setWhere: isNewer })
      .returning({ change: t.change })
  },
  learning({ sql, t: { agentLearnings: t } }, { kind: _, time: updatedAt, ...rest }, change) {
    const row = { ...rest, updatedAt, change }
    const isNewer = lte(t.updatedAt, updatedAt)
    return sql
      .insert(t)
      .values(row)
      .onConflictDoUpdate({ target: [t.agent, t.pattern], set: row, setWhere: isNewer })
      .returning({ change: t.change })
  },
}

/** False when what is kept is newer. */
export async function writeRecord(tx: Tx, record: Exclude<InsightRecord, MessageRecord>): Promise<boolean> {
  const change = await nextChange(tx, record.kind)
  // TypeScript does not see that the writer and the record are of one kind.
  const write = WRITERS[record.kind] as (
    tx: Tx,
    record: InsightRecord,
    change: number,
  ) => Promise<readonly unknown[]>
  return (await write(tx, record, change)).length > 0
}
