// Opens the database that the configuration names.
import type { Database, DatabaseOptions } from './database.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

/** Connects at the first call, not before. */
export function openDatabase(options: DatabaseOptions): Database {
  return options.driver === 'postgres' ? openPostgres(options) : openSqlite(options)
}
