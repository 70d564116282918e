// A server that answers and does not do its work for now: who writes waits, and gives nothing up.
import pg from 'pg'
import { expect, it } from 'vitest'
import { isPassing } from '../../src/db/index.ts'
import { openTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const mayConnect = (may: boolean) =>
  `update pg_database set datallowconn = ${may} where datname = current_database()`

it.each([
  ['lets nobody in', mayConnect(false), mayConnect(true)],
  // As a replica does, or a provider whose disk is full.
  [
    'lets nothing be written',
    "do $$ begin execute format('alter database %I set default_transaction_read_only = on', current_database()); end $$",
    "do $$ begin execute format('alter database %I reset default_transaction_read_only', current_database()); end $$",
  ],
])('Postgres that %s is DATABASE_UNAVAILABLE, and works again', async (_what, closing, opening) => {
  const place = await openTestDatabase('postgres')
  const admin = new pg.Client({ connectionString: place.options.url! })
  await admin.connect()
  const add = (resource: string) =>
    place.database.write(async ({ sql, t }) => {
      await sql.insert(t.fences).values({ resource, token: 1, holder: '' })
    })
  const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
  const change = async (statement: string) => {
    await admin.query(statement)
    await admin.query(`select pg_terminate_backend(pid) ${others}`)
    await eventually(async () => (await admin.query(`select 1 ${others}`)).rows.length === 0)
  }
  await admin.query('set default_transaction_read_only = off')
  await add('a')
  await change(closing)
  const failed = await add('b').catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  expect(isPassing(failed)).toBe(true)
  await change(opening)
  await add('c')
  const rows = await place.database.read(({ sql, t }) => sql.select().from(t.fences))
  expect(rows.map(({ resource }) => resource).sort()).toEqual(['a', 'c'])
  await admin.end()
  await place.close()
})
