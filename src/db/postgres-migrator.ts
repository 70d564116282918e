// The migrator on Postgres: an advisory lock that ends with its transaction.
import pg from 'pg'
import { SluiceError, withoutPassword } from '../kernel/index.ts'
import type { DatabaseOptions } from './database.ts'
import type { Migrator } from './migrate.ts'
import { postgresError } from './postgres-errors.ts'

// Any number that nobody else locks: the letters "slui".
const LOCK = 0x736c7569

const CREATE = `create table if not exists sluice_migrations (
  position integer primary key, tag text not null unique, hash text not null, applied_at bigint not null)`
// Not to_regclass: behind an advisory lock it answers from a cache that has not heard of the holder's commit.
const KNOWN =
  "select 1 from pg_tables where tablename = 'sluice_migrations' and schemaname = any(current_schemas(false))"
const APPLIED = 'select tag, hash, applied_at::float8 as "appliedAt" from sluice_migrations order by position'

export async function connectPostgresMigrator({ url }: DatabaseOptions): Promise<Migrator> {
  if (!url) throw new SluiceError('CONFIG_INVALID', 'A Postgres database needs a URL (DATABASE_URL).')
  const where = withoutPassword(url)
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, keepAlive: true })
  // A break shows in the next query; without a listener it would end the process.
  client.on('error', () => undefined)
  const query = async (text: string, values: unknown[] = []) => {
    try {
      return (await client.query(text, values)).rows
    } catch (error) {
      throw postgresError(error, where)
    }
  }
  try {
    await client.connect()
  } catch (error) {
    throw postgresError(error, where)
  }
  return {
    async lock(waitMs) {
      await query('begin')
      await query(`set local lock_timeout = ${waitMs}`)
      await query('select pg_advisory_xact_lock($1)', [LOCK])
    },
    async run(statement) {
      await client.query(statement)
    },
    async applied() {
      return (await query(KNOWN)).length > 0 ? query(APPLIED) : []
    },
    async record({ tag, hash, appliedAt }, position) {
      await query(CREATE)
      await query('insert into sluice_migrations values ($1, $2, $3, $4)', [position, tag, hash, appliedAt])
    },
    async commit() {
      await query('commit')
    },
    close: () => client.end(),
  }
}
