// The database from the command line: bring it up to date, say where it stands.

import { type DatabaseOptions, migrate, migrationStatus } from '../db/index.ts'
import { type Config, systemClock, withoutPassword } from '../kernel/index.ts'
import type { Terminal } from './terminal.ts'

const optionsOf = (config: Config): DatabaseOptions => ({
  driver: config.DATABASE_DRIVER,
  url: config.DATABASE_URL,
  path: config.SQLITE_DB_PATH,
  pool: 1,
  clock: systemClock,
})

/** Where the database is, without its password. */
export const databaseWhere = (config: Config): string =>
  config.DATABASE_DRIVER === 'postgres' ? withoutPassword(config.DATABASE_URL) : config.SQLITE_DB_PATH

/** Applies what is pending; answers a line that says so. */
export async function migrateDatabase(config: Config): Promise<string> {
  const applied = await migrate(optionsOf(config))
  const done = applied.length === 0 ? 'up to date' : `applied ${applied.join(', ')}`
  return `Database   ${databaseWhere(config)}  (${config.DATABASE_DRIVER}, ${done})`
}

export const databaseStatus = (config: Config) => migrationStatus(optionsOf(config))

export async function showMigrations(config: Config, terminal: Terminal): Promise<0 | 1> {
  const { applied, pending, problem } = await databaseStatus(config)
  const value = { driver: config.DATABASE_DRIVER, where: databaseWhere(config), applied, pending, problem }
  terminal.result(value, () =>
    [
      `${config.DATABASE_DRIVER}  ${databaseWhere(config)}`,
      ...applied.map(({ tag }) => `applied  ${tag}`),
      ...pending.map((tag) => `pending  ${tag}  (sluice db migrate)`),
      ...(problem ? [`PROBLEM  ${problem}`] : []),
    ].join('\n'),
  )
  return problem === undefined && pending.length === 0 ? 0 : 1
}
