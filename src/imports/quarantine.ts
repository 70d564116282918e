// What could not be used, each once: the id is derived from the file, the place and the text.
import { asc, type Database, inArray, lt, type Tx } from '../db/index.ts'
import { deriveId } from '../kernel/index.ts'
import { TEXT_CHARS } from './cut.ts'
import type { ImportKind, Quarantined } from './import.ts'

const DETAIL_CHARS = 500
const NAME_CHARS = 200

/** One that is there already is written again, with the judgement and the time of now. */
export async function insertQuarantine(
  { upsert, t }: Tx,
  { kind, origin, at }: { kind: ImportKind; origin: string; at: number },
  found: readonly Quarantined[],
): Promise<void> {
  const rows = found.map(({ piece, reason, detail, symbol, source, time }) => ({
    id: deriveId(origin, piece.offset, piece.text),
    ...{ kind, origin, position: piece.offset, reason, at },
    detail: storable(detail, DETAIL_CHARS),
    symbol: symbol === undefined ? null : storable(symbol, NAME_CHARS),
    source: source === undefined ? null : storable(source, NAME_CHARS),
    time: time === undefined || !Number.isSafeInteger(time) ? null : time,
    text: storable(piece.text, TEXT_CHARS),
  }))
  if (rows.length > 0) await upsert(t.quarantine, rows)
}

// A feed that goes wrong fills a million rows; one delete of them would hold up every other writer for seconds.
const FORGOTTEN_AT_ONCE = 1_000

/** Deletes what was last seen before `beforeMs`, some at a time until the signal aborts; answers how many. */
export async function forgetQuarantine(
  database: Database,
  beforeMs: number,
  signal: AbortSignal,
): Promise<number> {
  for (let removed = 0; ; ) {
    const { length } = await database.write(({ sql, t: { quarantine: t } }) => {
      const oldest = sql.select({ id: t.id }).from(t).where(lt(t.at, beforeMs)).orderBy(asc(t.at))
      return sql
        .delete(t)
        .where(inArray(t.id, oldest.limit(FORGOTTEN_AT_ONCE)))
        .returning({ id: t.id })
    })
    removed += length
    if (length < FORGOTTEN_AT_ONCE || signal.aborted) return removed
  }
}

/** Postgres keeps no zero character, and neither database half a surrogate pair. */
const storable = (text: string, charsMax: number): string =>
  text.slice(0, charsMax).replaceAll('\0', '\ufffd').toWellFormed()
