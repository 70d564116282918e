// Rows of numbers from Postgres as the bytes in which it keeps them, in one cell. As texts both sides would print and read
// each of them: 22 rows of 19 columns take 219 µs so and 108 µs packed, 67 of them for the way there and back.

import { SluiceError } from '../kernel/index.ts'

/** Types whose values a float64 holds, or shows that it does not. */
const PACKED = new Set(['bigint', 'double precision'])
// How a float64[][] goes over the wire (array_send): dimensions, whether there are nulls, type, then count and first
// index of each dimension. Each value has its length in front, -1 for null.
const HEAD_BYTES = 7 * 4
const COUNT_AT = 3 * 4

/** Of so many rows the one cell has tens of MB; a text of 2^29 characters, 1.8 million rows of 19, ends the process. */
export const PACKED_ROWS_MAX = 50_000

interface NumberColumn {
  readonly name: string
  getSQLType(): string
}

/** @param columns of `text`, a select, in its order. Undefined when one of them is no number. */
export function packedSelect(text: string, columns: readonly NumberColumn[]): string | undefined {
  if (!columns.every((column) => PACKED.has(column.getSQLType()))) return undefined
  const numbers = columns.map(({ name }) => `x."${name}"::float8`)
  // An aggregate over an ordered select takes the rows in that order.
  return `select encode(array_send(array_agg(array[${numbers}])), 'base64') from (${text}) as x`
}

/** @param rowOf gets the cells of each row, in an array that is used again. Throws DATABASE_INVALID. */
export function unpackRows<R>(
  cell: unknown,
  columns: readonly NumberColumn[],
  rowOf: (cells: readonly unknown[]) => R,
): R[] {
  if (cell === null) return []
  const bytes = Buffer.from(cell as string, 'base64')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const cells = Array.from<number | null>({ length: columns.length }).fill(null)
  const areWhole = columns.map((column) => column.getSQLType() === 'bigint')
  const rows: R[] = []
  let at = HEAD_BYTES
  for (let left = view.getInt32(COUNT_AT); left > 0; left--) {
    for (let i = 0; i < cells.length; i++) {
      const length = view.getInt32(at)
      at += 4
      cells[i] = length < 0 ? null : view.getFloat64(at)
      if (length > 0) at += length
      if (areWhole[i] && cells[i] !== null) checkWhole(cells[i]!, columns[i]!)
    }
    rows.push(rowOf(cells))
  }
  return rows
}

/** It has been rounded by then, and is not safe either. */
function checkWhole(value: number, { name }: NumberColumn): void {
  if (Number.isSafeInteger(value)) return
  throw new SluiceError(
    'DATABASE_INVALID',
    `About ${value} is stored in ${name}, which no float64 holds exactly.`,
  )
}
