// Started by migrations.test.ts: migrates the database that the environment names, twice at once, and prints what
// each call applied.
import { type DatabaseOptions, migrate } from '../../src/db/index.ts'
import { readConfig, systemClock } from '../../src/kernel/index.ts'

const config = readConfig()
const options: DatabaseOptions = {
  driver: config.DATABASE_DRIVER,
  url: config.DATABASE_URL,
  path: config.SQLITE_DB_PATH,
  clock: systemClock,
}
const applied = await Promise.all([migrate(options), migrate(options)])
process.stdout.write(JSON.stringify(applied))
