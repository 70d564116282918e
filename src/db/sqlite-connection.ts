// One connection to the SQLite file, as Drizzle wants it, with three things that the driver leaves open: whole
// numbers that a float64 would round are refused, a statement is compiled once, and one that failed spoils its
// transaction.
import { dirname } from 'node:path'
import SqliteFile from 'better-sqlite3'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { betterSqlite } from '../../schema/index.ts'
import { makeFolder, SluiceError } from '../kernel/index.ts'
import { sqliteError } from './sqlite-errors.ts'
import { assertUsable, fail, type Transaction } from './transaction.ts'

// The driver blocks the event loop while it waits for a lock, so it hardly waits; run.ts waits without blocking.
const BLOCK_MS = 5
const STATEMENTS_MAX = 256
// The driver's default of 16 MB for each connection adds up over readers and workers; the system caches the file too.
const CACHE_KIB = 4_096
// The log grows while a reader stands still; it is cut back to this once that reader is gone.
const WAL_BYTES = 64 * 2 ** 20

export interface SqliteConnection {
  readonly file: SqliteFile.Database
  /** What belongs to one transaction: it runs statements, and the builder on it makes them. */
  client(transaction: Transaction): SqliteFile.Database
  builder(client: SqliteFile.Database): BetterSQLite3Database
}

/** Creates folder and file. Throws what the driver says, or DATABASE_UNAVAILABLE where the folder cannot be made. */
export function connectSqlite(path: string, { readOnly = false } = {}): SqliteConnection {
  makeFolder(dirname(path))
  const file = new SqliteFile(path, { timeout: BLOCK_MS })
  try {
    // FULL: a commit is on the disk before it is told, also with the power gone.
    file.pragma('journal_mode = WAL')
    file.pragma('synchronous = FULL')
    file.pragma('foreign_keys = ON')
    file.pragma(`cache_size = -${CACHE_KIB}`)
    file.pragma(`journal_size_limit = ${WAL_BYTES}`)
    if (readOnly) file.pragma('query_only = ON')
    file.defaultSafeIntegers(true)
  } catch (error) {
    file.close()
    throw error
  }
  const statements = new Map<string, SqliteFile.Statement>()
  const statement = (text: string) => {
    const known = statements.get(text)
    if (known) return known
    if (statements.size >= STATEMENTS_MAX) statements.clear()
    const compiled = file.prepare(text)
    statements.set(text, compiled)
    return compiled
  }
  return {
    file,
    client: (transaction) => guarded(statement, transaction, path),
    builder: (client) => betterSqlite.drizzle({ client }),
  }
}

type Row = Record<string, unknown> | unknown[]

// The part of better-sqlite3 that Drizzle's session calls.
function guarded(
  statement: (text: string) => SqliteFile.Statement,
  transaction: Transaction,
  path: string,
): SqliteFile.Database {
  const checked = <T>(work: () => T): T => {
    assertUsable(transaction)
    try {
      return work()
    } catch (error) {
      throw fail(transaction, sqliteError(error, path, transaction.kind))
    }
  }
  const calls = (text: string, raw: boolean) => {
    // A statement keeps its mode, and it is shared by every query of the same text.
    const ready = () => {
      const compiled = statement(text)
      return compiled.reader ? compiled.raw(raw) : compiled
    }
    return {
      run: (...values: unknown[]) => checked(() => ready().run(...values)),
      all: (...values: unknown[]) => checked(() => (ready().all(...values) as Row[]).map(withNumbers)),
      get: (...values: unknown[]) =>
        checked(() => {
          const row = ready().get(...values) as Row | undefined
          return row && withNumbers(row)
        }),
    }
  }
  const prepare = (text: string) => ({ ...calls(text, false), raw: () => calls(text, true) })
  return { prepare } as unknown as SqliteFile.Database
}

function withNumbers(row: Row): Row {
  if (Array.isArray(row)) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i]
      if (typeof value === 'bigint') row[i] = exactNumber(value)
    }
    return row
  }
  const cells = row as Record<string, unknown>
  for (const key of Object.keys(cells)) {
    const value = cells[key]
    if (typeof value === 'bigint') cells[key] = exactNumber(value)
  }
  return row
}

function exactNumber(value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new SluiceError('DATABASE_INVALID', `${value} is stored, which no float64 holds exactly.`)
}
