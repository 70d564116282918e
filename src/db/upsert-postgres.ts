// One statement for many rows: each column is one parameter, an array. Numbers go as Postgres keeps them, because
// printing and reading them again costs both sides more than the rest (23 columns: 35 k rows/s as text, 57 k so).
import { drizzle, drizzlePostgres } from '../../schema/index.ts'
import type { Sql } from './database.ts'
import { onConflict, plainType, type Row, type Table, type UpsertColumn, upsertColumns } from './upsert.ts'

const ROWS_AT_ONCE = 2_000
const NUMBERS: Readonly<
  Record<string, { oid: number; set: (into: DataView, at: number, value: number) => void }>
> = {
  'double precision': { oid: 701, set: (into, at, value) => into.setFloat64(at, value) },
  bigint: { oid: 20, set: (into, at, value) => into.setBigInt64(at, BigInt(value)) },
}
const NUMBER_BYTES = 8
const HEAD_BYTES = 20

export async function upsertPostgres(sql: Sql, table: Table, rows: readonly Row[]): Promise<void> {
  const { primaryKeys } = drizzlePostgres.getTableConfig(table as never)
  const columns = upsertColumns(table, primaryKeys[0]?.columns ?? [])
  const ending = drizzle.sql.raw(onConflict(columns))
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const page = lastOfEach(rows.slice(from, from + ROWS_AT_ONCE), columns)
    await sql.insert(table as never).select(drizzle.sql`${selectOf(columns, page)} ${ending}`)
  }
}

/**
 * A column that is the same in all rows is one value: the names of a series, a time of writing. The others are unnested
 * side by side: as a table, `from unnest(…, …)`, the server would store them once more (1.5 µs a row of 19).
 */
function selectOf(columns: readonly UpsertColumn[], rows: readonly Row[]) {
  const { sql } = drizzle
  let isPlain = true
  const picked = columns.map((column) => {
    const type = sql.raw(plainType(column.sqlType))
    const first = rows[0]![column.key]
    if (isExact(first) && rows.every((row) => Object.is(row[column.key], first))) {
      return sql`${sql.param(column.toDriver(first))}::${type}`
    }
    isPlain = false
    return sql`unnest(${arrayOf(column, rows)})::${type}`
  })
  const select = sql`select ${sql.join(picked, sql`, `)}`
  return isPlain ? sql`${select} from generate_series(1, ${rows.length}::integer)` : select
}

/** The driver's text of it is the same value. */
const isExact = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  typeof value === 'string' ||
  (Number.isSafeInteger(value) && !Object.is(value, -0))

/** Postgres refuses a key twice in one statement; the order of the others stays. */
function lastOfEach(rows: readonly Row[], columns: readonly UpsertColumn[]): readonly Row[] {
  const keys = columns.filter(({ isKey }) => isKey)
  const last = new Map(rows.map((row) => [keys.map(({ key }) => row[key]).join('\0'), row]))
  return last.size === rows.length ? rows : [...last.values()]
}

function arrayOf(column: UpsertColumn, rows: readonly Row[]) {
  const values = rows.map((row) => column.toDriver(row[column.key]))
  const type = plainType(column.sqlType)
  const number = NUMBERS[type]
  const given = number ? binaryArray(values as (number | null)[], number) : values
  return drizzle.sql`${drizzle.sql.param(given)}::${drizzle.sql.raw(number ? type : 'text')}[]`
}

/** The binary format of an array of one dimension: five numbers in front, then each length and value. */
function binaryArray(values: readonly (number | null)[], { oid, set }: (typeof NUMBERS)[string]): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + values.length * (4 + NUMBER_BYTES))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = HEAD_BYTES
  let hasNulls = 0
  for (const value of values) {
    view.setInt32(at, value === null ? -1 : NUMBER_BYTES)
    at += 4
    if (value === null) hasNulls = 1
    else {
      set(view, at, value)
      at += NUMBER_BYTES
    }
  }
  for (const [i, part] of [1, hasNulls, oid, values.length, 1].entries()) view.setInt32(i * 4, part)
  return bytes.subarray(0, at)
}
