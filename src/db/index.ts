export type { Database, DatabaseOptions, Driver, Sql, Tx } from './database.ts'
export type { DatabaseEmitter, DatabaseEvents } from './events.ts'
export { migrate, migrationStatus } from './migrate.ts'
export type { AppliedMigration, MigrationStatus } from './migrations.ts'
export { openDatabase } from './open.ts'
export {
  and,
  asc,
  count,
  desc,
  eq,
  exists,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  like,
  lt,
  lte,
  max,
  min,
  ne,
  not,
  notExists,
  notInArray,
  or,
  type SQL,
  sql,
} from './query.ts'
