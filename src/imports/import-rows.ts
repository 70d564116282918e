// How far each file is, in the table `imports`: one row for each version of a file.
import { and, type Database, eq, inArray, type Tx } from '../db/index.ts'
import { deriveId, SluiceError } from '../kernel/index.ts'
import type { ImportKind } from './import.ts'
import type { ImportFile } from './list-files.ts'

export interface FileProgress {
  readonly offset: number
  readonly read: number
  readonly stored: number
  readonly duplicate: number
  readonly quarantined: Readonly<Record<string, number>>
  readonly state: SavedState | null
  readonly done: boolean
}

/** What a resumed import must know. */
export interface SavedState {
  /** Where a conflict begins that is not closed. */
  readonly conflictAt?: number | undefined
  readonly taken?: unknown
}

export const NOTHING_YET: FileProgress = {
  ...{ offset: 0, read: 0, stored: 0, duplicate: 0, quarantined: {} },
  state: null,
  done: false,
}

const ROWS_MAX = 1_000

export const importId = (kind: ImportKind, { path, bytes, changedAt }: ImportFile): string =>
  deriveId('import', kind, path, bytes, changedAt)

/**
 * Where each file begins. When one of them was interrupted, this goes on with that import, and files that are done
 * stay so; when all are done or new, all begin at their start. Rows of all are there afterwards, so that an
 * interruption between two files is known as one.
 */
export async function beginImports(
  database: Database,
  kind: ImportKind,
  files: readonly ImportFile[],
  { now, fromStart }: { now: number; fromStart: boolean },
): Promise<Map<string, FileProgress>> {
  return database.write(async (tx) => {
    const known = await findRows(
      tx,
      files.map((file) => importId(kind, file)),
    )
    const goesOn = !fromStart && [...known.values()].some(({ done }) => !done)
    const begun = new Map<string, FileProgress>()
    const fresh: ImportFile[] = []
    for (const file of files) {
      const row = known.get(importId(kind, file))
      if (!goesOn || !row) fresh.push(file)
      begun.set(file.path, goesOn && row ? row : NOTHING_YET)
    }
    const rows = fresh.map((file) => ({
      ...{ id: importId(kind, file), kind, path: file.path, bytes: file.bytes },
      ...{ ...NOTHING_YET, startedAt: now, updatedAt: now },
    }))
    if (rows.length > 0) await tx.upsert(tx.t.imports, rows)
    return begun
  })
}

async function findRows({ sql, t }: Tx, ids: readonly string[]): Promise<Map<string, FileProgress>> {
  const found = new Map<string, FileProgress>()
  for (let from = 0; from < ids.length; from += ROWS_MAX) {
    const page = ids.slice(from, from + ROWS_MAX)
    const rows = await sql.select().from(t.imports).where(inArray(t.imports.id, page))
    for (const row of rows) found.set(row.id, { ...row, state: row.state as SavedState | null })
  }
  return found
}

/** Throws IMPORT_RUNNING when somebody else has moved the row meanwhile. */
export async function saveProgress(
  { sql, t }: Tx,
  id: string,
  before: FileProgress,
  after: FileProgress,
  now: number,
): Promise<void> {
  const unmoved = and(eq(t.imports.id, id), eq(t.imports.offset, before.offset), eq(t.imports.done, false))
  const moved = await sql
    .update(t.imports)
    .set({ ...after, updatedAt: now })
    .where(unmoved)
    .returning({ path: t.imports.path })
  if (moved.length > 0) return
  throw new SluiceError(
    'IMPORT_RUNNING',
    'Another process imports the same file; it goes on, this one stops.',
    { import: id, offset: before.offset },
  )
}
