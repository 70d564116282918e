export type { Database, DatabaseOptions, Driver, Sql, Tx } from './database.ts'
export type { DatabaseEmitter, DatabaseEvents } from './events.ts'
export { openDatabase } from './open.ts'
