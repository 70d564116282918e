// Postgres through a pool. write() is READ COMMITTED: rows that are checked and then changed are locked with
// forUpdate, and unique keys decide the rest. read() is REPEATABLE READ READ ONLY, because only that shows several
// queries the same moment, as SQLite's snapshot does; it takes no locks and never fails to serialize.
import pg from 'pg'
import { postgresTables } from '../../schema/index.ts'
import { SluiceError, withoutPassword } from '../kernel/index.ts'
import { copyRows } from './copy-postgres.ts'
import type { Database, DatabaseOptions, Sql } from './database.ts'
import { openMutex } from './mutex.ts'
import { postgresBuilder, queryOf, textBuilder } from './postgres-connection.ts'
import { isLostRace, isStalePlan, postgresError } from './postgres-errors.ts'
import type { Fields, PreparedSelect, RowOf } from './prepared-select.ts'
import { type Backend, BUSY_MS, runOn, TryAgain, type Work } from './run.ts'
import { endWork, type Kind, type Transaction, txOf } from './transaction.ts'
import { upsertPostgres } from './upsert-postgres.ts'

// No statement of Sluice takes a second; these end what hangs. The client's own limit is for a frozen server.
const STATEMENT_MS = 15_000
const ANSWER_MS = 20_000
const CONNECT_MS = 5_000

const BEGIN: Record<Kind, string> = {
  read: 'begin isolation level repeatable read read only',
  write: 'begin isolation level read committed',
}

export function openPostgres(options: DatabaseOptions): Database {
  const url = options.url
  if (!url) throw new SluiceError('CONFIG_INVALID', 'A Postgres database needs a URL (DATABASE_URL).')
  return runOn((disturbed) => postgresBackend(url, options, disturbed), options)
}

function postgresBackend(
  url: string,
  { pool: max = 5, busyMs = BUSY_MS }: DatabaseOptions,
  disturbed: (reason: string) => void,
): Backend {
  const where = withoutPassword(url)
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: 'sluice',
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: 30_000,
    lock_timeout: busyMs,
    statement_timeout: STATEMENT_MS,
    query_timeout: ANSWER_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
    keepAlive: true,
  })
  // The pool drops an idle connection that broke; without a listener the error would end the process.
  pool.on('error', (error) => disturbed(error.message))
  // The same for a connection in use: what was asked on it rejects, and the event tells nothing more.
  pool.on('connect', (client) => client.on('error', () => undefined))
  // In turns before the pool, so that a full pool is DATABASE_BUSY and a server that is away DATABASE_UNAVAILABLE.
  const turns = openMutex(max)
  return {
    driver: 'postgres',
    async turn(_kind, waitMs) {
      const release = await turns.acquire(waitMs)
      if (release) {
        return {
          attempt: (transaction, work) => attempt(pool, where, transaction, work),
          rows: (select, values) => rowsAlone(pool, where, select, values),
          release,
        }
      }
      const message = `${where}: all ${max} connections of this process were in use for ${waitMs} ms.`
      throw new SluiceError('DATABASE_BUSY', message, { where, max, waitMs })
    },
    close: () => pool.end(),
  }
}

async function attempt<T>(pool: pg.Pool, where: string, transaction: Transaction, work: Work<T>): Promise<T> {
  const client = await beginOn(pool, where, transaction.kind)
  let broken = false
  try {
    return await workOn(client, where, transaction, work)
  } catch (error) {
    // A server that is away is not asked to roll back: it does so when it sees the connection gone.
    broken = isUseless(error) || !(await rolledBack(client))
    throw error
  } finally {
    client.release(broken)
  }
}

async function workOn<T>(
  client: pg.PoolClient,
  where: string,
  transaction: Transaction,
  work: Work<T>,
): Promise<T> {
  const { builder, cellsOf, copy, settle } = postgresBuilder(client, transaction, where)
  try {
    // The cast of the port: one builder type for both drivers (see Sql).
    const sql = builder as unknown as Sql
    const t = postgresTables
    const value = await work(
      txOf(transaction, {
        ...{ sql, t, lockRows: true },
        async rows(select, values) {
          const plan = select.planFor('postgres', { sql, t }, values)
          return plan.rowsOf(await cellsOf(plan, plan.valuesOf(values)))
        },
        upsert: (table, rows, areNew) =>
          areNew ? copyRows(copy, table, rows) : upsertPostgres(sql, table, rows),
      }),
    )
    endWork(transaction)
    await settle()
    await commit(client, where)
    return value
  } catch (error) {
    transaction.ended = true
    await settle()
    const failure = transaction.failure ?? error
    if (failure instanceof SluiceError && (isLostRace(failure.cause) || isStalePlan(failure.cause)))
      throw new TryAgain(failure)
    throw failure
  }
}

/** Outside of a transaction: a select alone sees one moment anyway. */
async function rowsAlone<F extends Fields, V extends string>(
  pool: pg.Pool,
  where: string,
  select: PreparedSelect<F, V>,
  values: Readonly<Record<V, string | number>>,
): Promise<RowOf<F>[]> {
  const on = { sql: textBuilder as unknown as Sql, t: postgresTables }
  const plan = select.planFor('postgres', on, values)
  const given = plan.valuesOf(values)
  const cells = await onLiving(pool, where, async (client) => {
    try {
      const { rows } = await client.query(queryOf(plan), given)
      client.release()
      return rows as unknown[][]
    } catch (error) {
      throw postgresError(error, where, 'read')
    }
  })
  return plan.rowsOf(cells)
}

async function commit(client: pg.PoolClient, where: string): Promise<void> {
  try {
    await client.query('commit')
  } catch (error) {
    const failure = postgresError(error, where)
    if (failure.code !== 'DATABASE_UNAVAILABLE') throw failure
    const message = `${where} went away during a commit; whether it took effect is unknown.`
    throw new SluiceError('DATABASE_UNAVAILABLE', message, { ...failure.facts, commit: 'unknown' }, error)
  }
}

/** The connection it happened on answers nothing more, or not this. */
function isUseless(error: unknown): boolean {
  const failure = error instanceof TryAgain ? error.cause : error
  if (!(failure instanceof SluiceError)) return false
  return failure.code === 'DATABASE_UNAVAILABLE' || isStalePlan(failure.cause)
}

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('rollback')
    return true
  } catch {
    return false
  }
}

const beginOn = (pool: pg.Pool, where: string, kind: Kind): Promise<pg.PoolClient> =>
  onLiving(pool, where, async (client) => {
    try {
      await client.query(BEGIN[kind])
      return client
    } catch (error) {
      throw postgresError(error, where)
    }
  })

/**
 * Does the first thing with a connection, and what may be repeated. After a restart of the server the pool may still
 * hold connections that died: nothing has happened on them, so the next one is taken, up to the size of the pool and a
 * new one.
 */
async function onLiving<T>(
  pool: pg.Pool,
  where: string,
  first: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  for (let left = pool.options.max + 1; ; left--) {
    const client = await connect(pool, where)
    try {
      return await first(client)
    } catch (error) {
      client.release(true)
      if (left === 0 || !isUseless(error)) throw error
    }
  }
}

async function connect(pool: pg.Pool, where: string): Promise<pg.PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw postgresError(error, where)
  }
}
