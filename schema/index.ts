// The tables, one type for both databases. Stores use them through a transaction (`tx.t`), never directly.
import * as postgres from './postgres.ts'
import * as sqlite from './sqlite.ts'

export { betterSqlite, drizzle, drizzlePostgres, drizzleSqlite, nodePostgres } from './drizzle.ts'

export type Tables = { readonly [K in keyof typeof postgres]: (typeof postgres)[K] }

export const postgresTables: Tables = postgres
/** A missing or superfluous table does not compile: both modules have the type `Tables`. */
export const sqliteTables: Tables = sqlite satisfies { [K in keyof typeof sqlite]: Tables[K] }
