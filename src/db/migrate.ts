// Brings a database up to date, under a lock and in one transaction: of many workers that start at once one
// migrates and the others find nothing to do. A database that is up to date is only read.
import { existsSync } from 'node:fs'
import { messageOf, SluiceError } from '../kernel/index.ts'
import type { DatabaseOptions } from './database.ts'
import {
  type AppliedMigration,
  compareMigrations,
  type Migration,
  type MigrationStatus,
  migrationFolder,
  readMigrations,
} from './migrations.ts'
import { connectPostgresMigrator } from './postgres-migrator.ts'
import { connectSqliteMigrator } from './sqlite-migrator.ts'

/** A connection of its own, for schema changes. */
export interface Migrator {
  /** Begins the one transaction that may migrate now; waits for another process's. DATABASE_BUSY after `waitMs`. */
  lock(waitMs: number): Promise<void>
  run(statement: string): Promise<void>
  /** Empty before the first migration. */
  applied(): Promise<AppliedMigration[]>
  record(row: AppliedMigration, position: number): Promise<void>
  commit(): Promise<void>
  /** Ends without a commit when nothing was committed. */
  close(): Promise<void>
}

// Longer than any migration should take; the lock's holder may be changing a large table.
const LOCK_MS = 60_000

const connect = (options: DatabaseOptions): Promise<Migrator> =>
  options.driver === 'postgres' ? connectPostgresMigrator(options) : connectSqliteMigrator(options)

/**
 * Applies what is pending and returns its names. All or nothing. Throws MIGRATION_EDITED when files and database do
 * not fit together, MIGRATION_FAILED when a statement fails, DATABASE_BUSY, DATABASE_INVALID, DATABASE_UNAVAILABLE.
 */
export async function migrate(
  options: DatabaseOptions,
  folder: string = migrationFolder(options.driver),
): Promise<string[]> {
  const files = readMigrations(folder)
  const migrator = await connect(options)
  try {
    if (pendingOf(files, await migrator.applied()).length === 0) return []
    await migrator.lock(LOCK_MS)
    const pending = pendingOf(files, await migrator.applied())
    for (const file of pending) await apply(migrator, file, files.indexOf(file), options.clock.now())
    await migrator.commit()
    return pending.map(({ tag }) => tag)
  } finally {
    await migrator.close()
  }
}

/** What is applied and what is not. Changes nothing, and creates no file. */
export async function migrationStatus(
  options: DatabaseOptions,
  folder: string = migrationFolder(options.driver),
): Promise<MigrationStatus> {
  const files = readMigrations(folder)
  if (options.driver === 'sqlite' && !existsSync(options.path ?? '')) return compareMigrations(files, [])
  const migrator = await connect(options)
  try {
    return compareMigrations(files, await migrator.applied())
  } finally {
    await migrator.close()
  }
}

function pendingOf(files: readonly Migration[], applied: readonly AppliedMigration[]): readonly Migration[] {
  const { problem } = compareMigrations(files, applied)
  if (problem) throw new SluiceError('MIGRATION_EDITED', problem, { applied: applied.map(({ tag }) => tag) })
  return files.slice(applied.length)
}

async function apply(
  migrator: Migrator,
  { tag, hash, statements }: Migration,
  position: number,
  appliedAt: number,
): Promise<void> {
  for (const statement of statements) {
    try {
      await migrator.run(statement)
    } catch (error) {
      const message = `${tag} could not be applied: ${messageOf(error)}, in: ${statement.slice(0, 200)}`
      throw new SluiceError('MIGRATION_FAILED', message, { tag, statement }, error)
    }
  }
  await migrator.record({ tag, hash, appliedAt }, position)
}
