// A migrated database of its own for each test that asks, on either driver:
// `for (const driver of drivers) { … await openTestDatabase(driver) … }`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'
import {
  type Database,
  type DatabaseOptions,
  type Driver,
  migrate,
  openDatabase,
} from '../../src/db/index.ts'
import { randomId, systemClock } from '../../src/kernel/index.ts'
import { TEMPLATE } from './postgres-server.ts'

export const drivers: readonly Driver[] = ['sqlite', 'postgres']

export interface TestDatabase {
  readonly database: Database
  /** To open it once more. */
  readonly options: DatabaseOptions
  /** The settings by which a child process opens it. */
  readonly environment: Readonly<Record<string, string>>
  /** Closes and removes it, also while others are connected. */
  close(): Promise<void>
}

type Place = Pick<TestDatabase, 'options' | 'environment'> & { remove: () => Promise<void> }

export async function openTestDatabase(
  driver: Driver,
  more: Partial<DatabaseOptions> = {},
): Promise<TestDatabase> {
  const { options, environment, remove } = await openPlace(driver, { migrated: true })
  const database = openDatabase({ ...options, ...more })
  return {
    database,
    options,
    environment,
    async close() {
      await database.close()
      await remove()
    },
  }
}

/** A place without a connection: a file's path, or a database (migrated or empty) on the run's server. */
export async function openPlace(driver: Driver, { migrated = false } = {}): Promise<Place> {
  if (driver === 'postgres') return postgresPlace(migrated)
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'))
  const path = join(folder, 'sluice.db')
  const options: DatabaseOptions = { driver, path, clock: systemClock }
  if (migrated) await migrate(options)
  return {
    options,
    environment: { DATABASE_DRIVER: driver, SQLITE_DB_PATH: path },
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function postgresPlace(migrated: boolean): Promise<Place> {
  const server = inject('postgresUrl')
  if (server === '') throw new Error(`This test needs Postgres. ${inject('postgresProblem')}`)
  const name = `test_${randomId().replaceAll('-', '')}`
  await withAdmin(server, `create database ${name} template ${migrated ? TEMPLATE : 'template0'}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    options: { driver: 'postgres', url: url.href, clock: systemClock },
    environment: { DATABASE_DRIVER: 'postgres', DATABASE_URL: url.href },
    remove: () => withAdmin(server, `drop database if exists ${name} with (force)`),
  }
}

async function withAdmin(url: string, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  try {
    await admin.query(statement)
  } finally {
    await admin.end()
  }
}
