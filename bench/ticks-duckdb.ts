// What DuckDB makes of the same ticks as a Parquet file. It is no dependency of this project: a folder in which
// `npm install @duckdb/node-api` was run can be named.
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type { Tick } from '../src/ticks/tick.ts'

interface Appender {
  appendVarchar(text: string): void
  appendBigInt(value: bigint): void
  appendInteger(value: number): void
  appendDouble(value: number): void
  endRow(): void
  closeSync(): void
}

interface DuckDb {
  readonly DuckDBInstance: {
    create(path: string): Promise<{
      connect(): Promise<{
        run(sql: string): Promise<unknown>
        createAppender(table: string): Promise<Appender>
        closeSync(): void
      }>
      closeSync(): void
    }>
  }
}

/** Bytes of a Parquet file (zstd, sorted by symbol and time) of these ticks; undefined where DuckDB is absent. */
export async function parquetBytes(
  folder: string,
  dir: string,
  ticks: readonly Tick[],
): Promise<number | undefined> {
  const duckdb = load(folder)
  if (!duckdb) return undefined
  const instance = await duckdb.DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    'create table t (symbol varchar, source varchar, ns bigint, sequence integer, bid double, ask double)',
  )
  const appender = await connection.createAppender('t')
  for (const { symbol, source, time, nanos, sequence, bid, ask } of ticks) {
    appender.appendVarchar(symbol)
    appender.appendVarchar(source)
    appender.appendBigInt(BigInt(time) * 1_000_000n + BigInt(nanos))
    appender.appendInteger(sequence)
    appender.appendDouble(bid)
    appender.appendDouble(ask)
    appender.endRow()
  }
  appender.closeSync()
  const path = join(dir, 'ticks.parquet')
  await connection.run(
    `copy (select * from t order by symbol, source, ns, sequence) to '${path}' (format parquet, compression zstd)`,
  )
  connection.closeSync()
  instance.closeSync()
  return statSync(path).size
}

function load(folder: string): DuckDb | undefined {
  try {
    return createRequire(join(resolve(folder), 'package.json'))('@duckdb/node-api') as DuckDb
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
