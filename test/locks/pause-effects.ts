// What the programs of the pauses did: one row for each time that a job was executed. Nothing in the table keeps a job
// from being executed twice, because that is what is looked for.
import SqliteFile from 'better-sqlite3'
import { sqliteWords as w } from '../../schema/words/sqlite.ts'
import { type Database, eq, migrate, openDatabase, type Tx } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'

const effects = w.table('pause_effects', { job: w.text('job').notNull(), who: w.text('who').notNull() })

export async function createEffects(path: string): Promise<void> {
  await migrate({ driver: 'sqlite', path, clock: systemClock })
  const file = new SqliteFile(path)
  file.exec('create table pause_effects (job text not null, who text not null)')
  file.close()
}

export const openEffects = (path: string): Database =>
  openDatabase({ driver: 'sqlite', path, clock: systemClock })

export const writeEffect = async (tx: Tx, job: string, who: string): Promise<void> => {
  await tx.sql.insert(effects).values({ job, who })
}

export const isDone = async (database: Database, job: string): Promise<boolean> =>
  (await effectsOf(database, job)).length > 0

/** Who executed the job. */
export async function effectsOf(database: Database, job: string): Promise<string[]> {
  const rows = await database.read((tx) =>
    tx.sql.select({ who: effects.who }).from(effects).where(eq(effects.job, job)),
  )
  return rows.map(({ who }) => who)
}
