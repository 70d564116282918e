// What the upsert of both drivers has in common: which columns a table has, and which of them are its key.
import { drizzle } from '../../schema/index.ts'

/** A table as both dialects show it. */
export type Table = Parameters<typeof drizzle.getTableColumns>[0]

export interface UpsertColumn {
  /** In a row, and in the database. */
  readonly key: string
  readonly name: string
  readonly sqlType: string
  readonly isKey: boolean
  /** As the driver wants it; what a row leaves out is null. Throws for what the column does not hold. */
  toDriver(value: unknown): unknown
}

export type Row = Readonly<Record<string, unknown>>

/** @param keys the columns of a primary key that is not declared at its column. */
export const upsertColumns = (table: Table, keys: readonly { name: string }[]): UpsertColumn[] =>
  Object.entries(drizzle.getTableColumns(table)).map(([key, column]) => ({
    key,
    name: column.name,
    sqlType: column.getSQLType(),
    isKey: column.primary || keys.some(({ name }) => name === column.name),
    toDriver: (value) => (value === undefined || value === null ? null : column.mapToDriverValue(value)),
  }))

/** Without its collation. */
export const plainType = (sqlType: string): string => sqlType.replace(/ collate .*$/i, '')

export function onConflict(columns: readonly UpsertColumn[]): string {
  const keys = columns.filter(({ isKey }) => isKey).map(({ name }) => `"${name}"`)
  const others = columns.filter(({ isKey }) => !isKey).map(({ name }) => `"${name}" = excluded."${name}"`)
  return `on conflict (${keys}) do update set ${others}`
}
