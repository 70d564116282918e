// What changes the tables of a day's file; within a transaction of the caller.
import { crc32 } from 'node:zlib'
import type SqliteFile from 'better-sqlite3'
import { randomId } from '../kernel/index.ts'
import { encodeBlock } from './block.ts'
import { BLOCK_TICKS_MAX, type TickColumns } from './columns.ts'
import { type BlockPlace, DAY_FILE_TABLES, type DayFile, type SeriesRow } from './day-file.ts'

/** Blocks below the first are few ticks, below the second some; small ones are merged (compact.ts). */
export const TIERS = [64, 2_048] as const

/** The file that a new one is made from. */
export interface MadeFrom {
  readonly id: string
  readonly bytes: number
}

const tierOf = (count: number): number => (count < TIERS[0] ? 0 : count < TIERS[1] ? 1 : 2)

export function createTables(connection: SqliteFile.Database, madeFrom?: MadeFrom): void {
  connection.exec(DAY_FILE_TABLES)
  connection
    .prepare('insert into file values (?, ?, ?)')
    .run(randomId(), madeFrom?.id ?? null, madeFrom?.bytes ?? 0)
}

export function addSeries(
  file: DayFile,
  { symbol, source, shared }: Pick<SeriesRow, 'symbol' | 'source' | 'shared'>,
): SeriesRow {
  const row = { symbol, source, ticks: 0, first: -1, headTime: -1, headSequence: -1, few: 0, some: 0, shared }
  const { lastInsertRowid } = file
    .statement('insert into series values (null, ?, ?, 0, -1, -1, -1, 0, 0, ?)')
    .run(symbol, source, shared)
  return { id: Number(lastInsertRowid), ...row }
}

export function saveSeries(file: DayFile, row: SeriesRow): void {
  file
    .statement(
      `update series set ticks = ?, first = ?, head_time = ?, head_sequence = ?, few = ?, some = ? where id = ?`,
    )
    .run(row.ticks, row.first, row.headTime, row.headSequence, row.few, row.some, row.id)
}

/** Adds sorted ticks as blocks, and counts them in the row, which is to be saved afterwards. */
export function addTicks(
  file: DayFile,
  row: SeriesRow,
  columns: TickColumns,
  from: number,
  to: number,
  compress = false,
): void {
  for (let at = from; at < to; at += BLOCK_TICKS_MAX) {
    addBlock(file, row, columns, at, Math.min(to, at + BLOCK_TICKS_MAX), compress)
  }
  const last = to - 1
  const [time, sequence] = [columns.time[last]!, columns.sequence[last]!]
  row.first = row.ticks === 0 ? columns.time[from]! : Math.min(row.first, columns.time[from]!)
  if ((time - row.headTime || sequence - row.headSequence) > 0) {
    row.headTime = time
    row.headSequence = sequence
  }
  row.ticks += to - from
}

/** The block alone, without what the row says of its ticks. */
export function addBlock(
  file: DayFile,
  row: SeriesRow,
  columns: TickColumns,
  from: number,
  to: number,
  compress: boolean,
): void {
  const count = to - from
  const data = encodeBlock(columns, from, to, compress)
  const tier = tierOf(count)
  if (tier === 0) row.few++
  if (tier === 1) row.some++
  file
    .statement('insert into blocks values (null, ?, ?, ?, ?, ?, ?, ?)')
    .run(row.id, columns.time[from]!, columns.time[to - 1]!, count, tier, crc32(data), data)
}

/** The way back of `addBlock`. */
export function removeBlock(file: DayFile, row: SeriesRow, { id, count }: BlockPlace): void {
  const tier = tierOf(count)
  if (tier === 0) row.few--
  if (tier === 1) row.some--
  file.statement('delete from blocks where id = ?').run(id)
}
