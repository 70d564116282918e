export type { Database, DatabaseOptions, Driver, Tx } from './database.ts'
export type { DatabaseEmitter } from './events.ts'
export { migrate, migrationStatus } from './migrate.ts'
export { openDatabase } from './open.ts'
export { isPassing } from './passing.ts'
export { postgresError } from './postgres-errors.ts'
export { prepareSelect } from './prepared-select.ts'
export {
  and,
  asc,
  count,
  desc,
  eq,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  max,
  min,
  notInArray,
  sql,
} from './query.ts'
