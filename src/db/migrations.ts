// The generated migrations of a dialect, and how they compare with what a database says was applied. What was
// applied must be a prefix of the files, each with the same hash: an edited file, a file put in front of an applied
// one, or a database that is ahead of the program is refused and never guessed at.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, SluiceError } from '../kernel/index.ts'
import type { Driver } from './database.ts'

export interface Migration {
  /** Number and name of the file. */
  readonly tag: string
  readonly hash: string
  readonly statements: readonly string[]
}

export interface AppliedMigration {
  readonly tag: string
  readonly hash: string
  /** ms UTC. */
  readonly appliedAt: number
}

export interface MigrationStatus {
  readonly applied: readonly AppliedMigration[]
  readonly pending: readonly string[]
  /** Why the database and the files do not fit together; undefined when they do. */
  readonly problem: string | undefined
}

const ROOT = join(import.meta.dirname, '../../drizzle')

export const migrationFolder = (driver: Driver): string => join(ROOT, driver)

/** In order. Throws MIGRATION_FAILED when a file is missing. */
export function readMigrations(folder: string): Migration[] {
  try {
    const journal = JSON.parse(readFileSync(join(folder, 'meta/_journal.json'), 'utf8'))
    return (journal.entries as { tag: string }[]).map(({ tag }) => {
      const text = readFileSync(join(folder, `${tag}.sql`), 'utf8')
      const statements = text.split('--> statement-breakpoint').map((statement) => statement.trim())
      return { tag, hash: createHash('sha256').update(text).digest('hex'), statements }
    })
  } catch (error) {
    const message = `The migrations in ${folder} cannot be read: ${messageOf(error)}.`
    throw new SluiceError('MIGRATION_FAILED', message, { folder }, error)
  }
}

export function compareMigrations(
  files: readonly Migration[],
  applied: readonly AppliedMigration[],
): MigrationStatus {
  return {
    applied,
    pending: files.filter(({ tag }) => !applied.some((row) => row.tag === tag)).map(({ tag }) => tag),
    problem: problemOf(files, applied),
  }
}

function problemOf(files: readonly Migration[], applied: readonly AppliedMigration[]): string | undefined {
  for (const [position, row] of applied.entries()) {
    const file = files[position]
    if (!files.some(({ tag }) => tag === row.tag)) {
      return `${row.tag} was applied, but there is no such file: the database is newer than this program.`
    }
    if (file?.tag !== row.tag)
      return `${file?.tag} was added in front of ${row.tag}, which is applied already.`
    if (file.hash !== row.hash) return `${row.tag} was edited after it was applied.`
  }
  return undefined
}
