// How far each file is, in the table `imports`: one row for each version of a file.
import { and, type Database, eq, inArray, type Tx } from '../db/index.ts'
import { deriveId, SluiceError } from '../kernel/index.ts'
import type { ImportKind, ImportOptions } from './import.ts'
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

/** What is imported in which way: with other settings the same file becomes other rows, so that is another import. */
type Identity = Pick<ImportOptions, 'kind' | 'settings'>

export const importId = ({ kind, settings = {} }: Identity, { path, bytes, changedAt }: ImportFile): string =>
  deriveId('import', kind, path, bytes, changedAt, JSON.stringify(settings))

interface Begun {
  readonly progress: ReadonlyMap<string, FileProgress>
  /** Files that begin at their start although an import with other settings, or of another version, was interrupted. */
  readonly otherwise: number
}

/**
 * Where each file begins. When one of them was interrupted, this goes on with that import, and files that are done
 * stay so; when all are done or new, all begin at their start. Rows of all are there afterwards, so that an
 * interruption between two files is known as one.
 */
export async function beginImports(
  database: Database,
  identity: Identity,
  files: readonly ImportFile[],
  { now, fromStart }: { now: number; fromStart: boolean },
): Promise<Begun> {
  return database.write(async (tx) => {
    const ids = files.map((file) => importId(identity, file))
    const known = await findRows(tx, ids)
    const left = await pathsLeft(tx, identity.kind)
    const otherwise = files.filter(({ path }, at) => left.has(path) && !known.has(ids[at]!)).length
    const goesOn = !fromStart && [...known.values()].some(({ done }) => !done)
    const begun = new Map<string, FileProgress>()
    const fresh: ImportFile[] = []
    for (const [at, file] of files.entries()) {
      const row = known.get(ids[at]!)
      if (!goesOn || !row) fresh.push(file)
      begun.set(file.path, goesOn && row ? row : NOTHING_YET)
    }
    const rows = fresh.map((file) => ({
      ...{ id: importId(identity, file), kind: identity.kind, path: file.path, bytes: file.bytes },
      ...{ ...NOTHING_YET, startedAt: now, updatedAt: now },
    }))
    if (rows.length > 0) await tx.upsert(tx.t.imports, rows)
    return { progress: begun, otherwise }
  })
}

/** Paths of which an import was interrupted. */
async function pathsLeft({ sql, t: { imports } }: Tx, kind: ImportKind): Promise<ReadonlySet<string>> {
  const isLeft = and(eq(imports.kind, kind), eq(imports.done, false))
  const rows = await sql.select({ path: imports.path }).from(imports).where(isLeft)
  return new Set(rows.map(({ path }) => path))
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
