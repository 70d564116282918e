// The column words in Postgres. Their types are the types of every store; sqlite.ts gives the same words.
import { drizzlePostgres } from '../drizzle.ts'
import { canonicalDecimal, finiteNumber, wholeNumber } from './values.ts'

const { bigint, boolean, customType, index, pgTable, primaryKey, unique, uniqueIndex } = drizzlePostgres

const decimalColumn = customType<{ data: string; driverData: string }>({
  dataType: () => 'numeric',
  toDriver: canonicalDecimal,
  fromDriver: canonicalDecimal,
})

// Collation C is SQLite's order of texts, byte by byte; a server's language would sort and index them otherwise.
const textColumn = <T extends string>() =>
  customType<{ data: T; driverData: string }>({ dataType: () => 'text COLLATE "C"' })

const wholeColumn = customType<{ data: number; driverData: number | string }>({
  dataType: () => 'bigint',
  toDriver: wholeNumber,
  fromDriver: wholeNumber,
})

const floatColumn = customType<{ data: number; driverData: number | string }>({
  dataType: () => 'double precision',
  toDriver: finiteNumber,
  fromDriver: finiteNumber,
})

export const postgresWords = {
  table: pgTable,
  text: (name: string) => textColumn<string>()(name),
  /** One of a few texts; the type knows which. */
  oneOf: <const T extends readonly [string, ...string[]]>(name: string, _options: T) =>
    textColumn<T[number]>()(name),
  /** Refuses what a float64 does not hold exactly. */
  integer: (name: string) => wholeColumn(name),
  /** Money and amounts: any length, exact, canonical text. Never compare or sum one in SQL: SQLite keeps text. */
  decimal: (name: string) => decimalColumn(name),
  /** Estimates and prices of market data. */
  float: (name: string) => floatColumn(name),
  /** ms since 1970 UTC, whole. */
  instant: (name: string) => wholeColumn(name),
  boolean: (name: string) => boolean(name),
  /** `json`, not `jsonb`: it keeps the order of keys, so both databases answer the same text. */
  json: <T>(name: string) =>
    customType<{ data: T; driverData: unknown }>({ dataType: () => 'json', toDriver: JSON.stringify })(name),
  /** A primary key that counts up and is never given out twice. Concurrent transactions may commit out of order. */
  counter: (name: string) => bigint(name, { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  index,
  unique,
  uniqueIndex,
  primaryKey,
}

export type Words = typeof postgresWords
