// The tables of a chaos run, beside those of the product: what the handlers did, numbered in the order of the commits.
import SqliteFile from 'better-sqlite3'
import pg from 'pg'
import { postgresWords, type Words } from '../../schema/words/postgres.ts'
import { sqliteWords } from '../../schema/words/sqlite.ts'
import { and, asc, type Database, type DatabaseOptions, eq, gt, sql, type Tx } from '../../src/db/index.ts'
import type { Row } from './checker.ts'

const tablesIn = (w: Words) => ({
  effects: w.table('chaos_effects', {
    place: w.integer('place').primaryKey(),
    group: w.text('worker_group').notNull(),
    what: w.oneOf('what', ['effect', 'trial']).notNull(),
    i: w.integer('i').notNull(),
    key: w.text('key').notNull(),
    n: w.integer('n').notNull(),
    partition: w.integer('partition_number').notNull(),
    sequence: w.integer('sequence').notNull(),
    epoch: w.integer('epoch').notNull(),
    attempt: w.integer('attempt').notNull(),
    worker: w.text('worker').notNull(),
  }),
  turn: w.table('chaos_turn', { id: w.integer('id').primaryKey(), last: w.integer('last').notNull() }),
})

const CREATE = [
  `create table chaos_effects (place bigint primary key, worker_group text not null, what text not null,
    i bigint not null, key text not null, n bigint not null, partition_number bigint not null,
    sequence bigint not null, epoch bigint not null, attempt bigint not null, worker text not null)`,
  'create table chaos_turn (id bigint primary key, last bigint not null)',
  'insert into chaos_turn values (1, 0)',
]

const PAGE = 2_000

export async function createEffects({ driver, path, url }: DatabaseOptions): Promise<void> {
  if (driver === 'sqlite') {
    const file = new SqliteFile(path)
    for (const statement of CREATE) file.exec(statement)
    file.close()
    return
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const statement of CREATE) await client.query(statement)
  await client.end()
}

export type Written = Omit<Row, 'place'>

export interface Effects {
  /** Last in its transaction: the row of the counter stays locked until the commit, so places are commits in order. */
  write(tx: Tx, row: Written): Promise<void>
  count(): Promise<number>
  /** Outputs that are written and not yet published. */
  waiting(): Promise<number>
  all(): AsyncGenerator<Row>
  /** Whether a later epoch wrote for the partition. */
  hasLater(partition: number, epoch: number, group: string): Promise<boolean>
}

export function effectsIn(database: Database): Effects {
  const { effects, turn } = tablesIn(database.driver === 'postgres' ? postgresWords : sqliteWords)
  return {
    async write(tx, row) {
      const [next] = await tx.sql
        .update(turn)
        .set({ last: sql`last + 1` })
        .where(eq(turn.id, 1))
        .returning({ last: turn.last })
      await tx.sql.insert(effects).values({ ...row, place: next!.last })
    },
    async count() {
      const [row] = await database.read((tx) => tx.sql.select({ last: turn.last }).from(turn))
      return row?.last ?? 0
    },
    waiting: () => database.read((tx) => tx.sql.$count(tx.t.outbox)),
    async *all() {
      for (let after = 0; ; ) {
        const rows = await database.read((tx) =>
          tx.sql
            .select()
            .from(effects)
            .where(gt(effects.place, after))
            .orderBy(asc(effects.place))
            .limit(PAGE),
        )
        yield* rows as Row[]
        if (rows.length < PAGE) return
        after = rows.at(-1)!.place
      }
    },
    async hasLater(partition, epoch, group) {
      const rows = await database.read((tx) =>
        tx.sql
          .select({ place: effects.place })
          .from(effects)
          .where(and(gt(effects.epoch, epoch), eq(effects.partition, partition), eq(effects.group, group)))
          .limit(1),
      )
      return rows.length > 0
    },
  }
}
