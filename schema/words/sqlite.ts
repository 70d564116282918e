// The column words in SQLite: the same names and TypeScript types as in Postgres, other column types. The one
// cast of the schema stands at the end; test/db/parity.test.ts holds what it claims.
import { drizzleSqlite } from '../drizzle.ts'
import type { Words } from './postgres.ts'
import { canonicalDecimal, finiteNumber, wholeNumber } from './values.ts'

const { customType, index, integer, primaryKey, sqliteTable, text, unique, uniqueIndex } = drizzleSqlite

const decimalColumn = customType<{ data: string; driverData: string }>({
  // Text, because a NUMERIC column would turn the digits into a float64.
  dataType: () => 'text',
  toDriver: canonicalDecimal,
  fromDriver: canonicalDecimal,
})

const wholeColumn = customType<{ data: number; driverData: number | bigint }>({
  dataType: () => 'integer',
  toDriver: wholeNumber,
  fromDriver: wholeNumber,
})

const floatColumn = customType<{ data: number; driverData: number }>({
  dataType: () => 'real',
  toDriver: finiteNumber,
  fromDriver: finiteNumber,
})

const booleanColumn = customType<{ data: boolean; driverData: number }>({
  dataType: () => 'integer',
  toDriver: (value) => (value ? 1 : 0),
  fromDriver: (value) => value === 1,
})

export const sqliteWords = {
  table: sqliteTable,
  text: (name: string) => text(name),
  oneOf: (name: string, options: readonly [string, ...string[]]) =>
    text(name, { enum: options as [string, ...string[]] }),
  integer: (name: string) => wholeColumn(name),
  decimal: (name: string) => decimalColumn(name),
  float: (name: string) => floatColumn(name),
  instant: (name: string) => wholeColumn(name),
  boolean: (name: string) => booleanColumn(name),
  json: <T>(name: string) =>
    customType<{ data: T; driverData: string }>({
      dataType: () => 'text',
      toDriver: (value) => JSON.stringify(value),
      fromDriver: (value) => JSON.parse(value) as T,
    })(name),
  // AUTOINCREMENT: a plain rowid is given out again after its row was deleted.
  counter: (name: string) => integer(name).primaryKey({ autoIncrement: true }),
  index,
  unique,
  uniqueIndex,
  primaryKey,
} as unknown as Words
