// SQLite: one connection writes, in turns; a few others read, each from a snapshot. Other processes write the same
// file, so BEGIN IMMEDIATE may find it locked: nothing has happened then, and run.ts tries again.
import { resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { sqliteTables } from '../../schema/index.ts'
import { isSluiceError, SluiceError } from '../kernel/index.ts'
import type { Database, DatabaseOptions, Sql } from './database.ts'
import { openMutex } from './mutex.ts'
import { type Backend, runOn, TryAgain, type Turn, type Work } from './run.ts'
import { connectSqlite, type SqliteConnection } from './sqlite-connection.ts'
import { sqliteError, thrown } from './sqlite-errors.ts'
import { endWork, type Transaction, txOf } from './transaction.ts'
import { upsertSqlite } from './upsert-sqlite.ts'

// Reads that are open at once; each has a connection with its own page cache. More wait for their turn.
const READERS = 4

export function openSqlite(options: DatabaseOptions): Database {
  const path = options.path
  if (!path) throw new SluiceError('CONFIG_INVALID', 'A SQLite database needs a path (SQLITE_DB_PATH).')
  return runOn(() => sqliteBackend(resolve(path)), options)
}

function sqliteBackend(path: string): Backend {
  const writing = openMutex()
  const reading = openMutex(READERS)
  const idleReaders: SqliteConnection[] = []
  let writer: SqliteConnection | undefined

  const writeTurn = (release: () => void): Turn => ({
    attempt: (transaction, work) => {
      writer ??= connect(path, false)
      return attempt(path, writer, transaction, work)
    },
    release,
  })

  const readTurn = (release: () => void): Turn => {
    let reader = idleReaders.pop()
    return {
      attempt: (transaction, work) => {
        reader ??= connect(path, true)
        return attempt(path, reader, transaction, work)
      },
      release: () => {
        if (reader) idleReaders.push(reader)
        release()
      },
    }
  }

  return {
    driver: 'sqlite',
    async turn(kind, waitMs) {
      // The driver answers within the call, so a loop over transactions would never let timers and sockets run.
      await setImmediate()
      const release = await (kind === 'write' ? writing : reading).acquire(waitMs)
      if (release) return kind === 'write' ? writeTurn(release) : readTurn(release)
      const message = `${path}: this process's own transactions left no turn within ${waitMs} ms.`
      throw new SluiceError('DATABASE_BUSY', message, { path, waitMs })
    },
    async close() {
      for (const connection of [...idleReaders.splice(0), ...(writer ? [writer] : [])])
        connection.file.close()
      writer = undefined
    },
  }
}

function connect(path: string, readOnly: boolean): SqliteConnection {
  try {
    return connectSqlite(path, { readOnly })
  } catch (error) {
    throw thrown(error, path)
  }
}

async function attempt<T>(
  path: string,
  { file, client: clientOf, builder }: SqliteConnection,
  transaction: Transaction,
  work: Work<T>,
): Promise<T> {
  begin(path, file, transaction)
  try {
    // The cast of the port: one builder type for both drivers (see Sql).
    const client = clientOf(transaction)
    const sql = builder(client) as unknown as Sql
    const t = sqliteTables
    const value = await work(
      txOf(transaction, {
        ...{ sql, t, lockRows: false },
        async rows(select, values) {
          const plan = select.planFor('sqlite', { sql, t }, values)
          const cells = client
            .prepare(plan.text)
            .raw()
            .all(...plan.valuesOf(values))
          return plan.rowsOf(cells as unknown[][])
        },
        upsert: (table, rows, areNew) => upsertSqlite(client, table, rows, areNew),
      }),
    )
    endWork(transaction)
    commit(path, file)
    return value
  } catch (error) {
    transaction.ended = true
    // A full disk may have rolled back already.
    if (file.inTransaction) file.exec('rollback')
    const failure = transaction.failure ?? error
    throw isSluiceError(failure, 'DATABASE_BUSY') ? new TryAgain(failure) : failure
  }
}

function begin(path: string, file: SqliteConnection['file'], { kind }: Transaction): void {
  try {
    // A snapshot is taken by the first read, not by BEGIN.
    file.exec(kind === 'write' ? 'begin immediate' : 'begin; select 1 from sqlite_schema limit 1')
  } catch (error) {
    if (file.inTransaction) file.exec('rollback')
    throw thrown(error, path)
  }
}

function commit(path: string, file: SqliteConnection['file']): void {
  try {
    file.exec('commit')
  } catch (error) {
    throw sqliteError(error, path)
  }
}
