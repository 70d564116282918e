// The migrator on SQLite: BEGIN IMMEDIATE is the lock.
import { resolve } from 'node:path'
import { SluiceError } from '../kernel/index.ts'
import type { DatabaseOptions } from './database.ts'
import type { Migrator } from './migrate.ts'
import type { AppliedMigration } from './migrations.ts'
import { untilFree } from './sqlite-busy.ts'
import { connectSqlite, type SqliteConnection } from './sqlite-connection.ts'
import { sqliteError } from './sqlite-errors.ts'

const CREATE = `create table if not exists sluice_migrations (
  position integer primary key, tag text not null unique, hash text not null, applied_at integer not null)`

export async function connectSqliteMigrator({ path: given, clock }: DatabaseOptions): Promise<Migrator> {
  if (!given) throw new SluiceError('CONFIG_INVALID', 'A SQLite database needs a path (SQLITE_DB_PATH).')
  const path = resolve(given)
  const { file } = await untilFree(path, clock, 5_000, () => connectSqlite(path))
  // A changed table is rebuilt under another name, which would trip over the keys that point to it.
  file.pragma('foreign_keys = OFF')
  return {
    lock: (waitMs) => untilFree(path, clock, waitMs, () => void file.exec('begin immediate')),
    async run(statement) {
      file.exec(statement)
    },
    applied: () => untilFree(path, clock, 5_000, () => appliedIn(file)),
    async record({ tag, hash, appliedAt }, position) {
      file.exec(CREATE)
      file.prepare('insert into sluice_migrations values (?, ?, ?, ?)').run(position, tag, hash, appliedAt)
    },
    async commit() {
      try {
        file.exec('commit')
      } catch (error) {
        throw sqliteError(error, path)
      }
    },
    async close() {
      if (file.inTransaction) file.exec('rollback')
      file.close()
    },
  }
}

function appliedIn(file: SqliteConnection['file']): AppliedMigration[] {
  const known = file.prepare("select 1 from sqlite_schema where name = 'sluice_migrations'").get()
  if (!known) return []
  const rows = file.prepare('select tag, hash, applied_at from sluice_migrations order by position').all()
  return (rows as { tag: string; hash: string; applied_at: bigint }[]).map((row) => ({
    tag: row.tag,
    hash: row.hash,
    appliedAt: Number(row.applied_at),
  }))
}
