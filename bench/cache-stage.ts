// What the contestants of bench/cache.ts share: a server, answers of 200 bytes, and a SQLite file with the same.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { z } from 'zod'
import {
  type AnySource,
  defineSource,
  defineView,
  openViews,
  type View,
  type Views,
} from '../src/cache/index.ts'
import { systemClock } from '../src/kernel/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../src/redis/index.ts'
import { startRedis } from '../test/support/redis.ts'

export const KEYS = 1_000
/** Who asks at once. */
export const CALLERS = 100

export interface Answer {
  readonly symbol: string
  readonly text: string
}

export const answerOf = (symbol: string): Answer => ({ symbol, text: 'x'.repeat(160) })
export const symbolOf = (n: number): string => `S${n % KEYS}`

export interface Stage {
  readonly views: Views
  readonly client: Redis
  readonly database: SqliteDatabase.Database
  readonly kept: View<[symbol: string], Answer>
  readonly shared: View<[symbol: string], Answer>
  /** So many answers under keys that begin with `part`, computed. */
  warming(part: string, count: number): AnySource
  /** The same, read from SQLite by one query for each batch. */
  stored(part: string, count: number): AnySource
  /** The answer of such a key, read from SQLite by itself. */
  row(symbol: string): Answer
  /** Part of a key that nobody has used yet. */
  fresh(): string
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  const server = await startRedis(['--appendfsync', 'everysec'])
  // Nobody gives up after 50 ms: what is measured is the work and not a machine that is busy.
  const connect = (role: 'cache' | 'subscriber') =>
    connectRedis(server.url, role === 'cache' ? 'writer' : role)
  const views = openViews({ connect, clock: systemClock, maxLoads: CALLERS })
  const client = connect('cache')
  await ready(client)
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const database = new SqliteDatabase(join(folder, 'answers.db'))
  database.pragma('journal_mode = WAL')
  database.exec('CREATE TABLE answers (symbol TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID')
  const insert = database.prepare('INSERT INTO answers VALUES (?, ?)')
  const declared = {
    about: 'An answer of 200 bytes.',
    shape: z.object({ symbol: z.string(), text: z.string() }),
    parts: ['symbol'],
    lifetimeMs: 3_600_000,
  } as const
  const kept = defineView<[symbol: string], Answer>({ ...declared, name: 'kept' })
  const shared = defineView<[symbol: string], Answer>({ ...declared, name: 'shared', level: 'redis' })
  for (let n = 0; n < KEYS; n++) {
    const symbol = symbolOf(n)
    const answer = answerOf(symbol)
    insert.run(symbol, JSON.stringify(answer))
    await client.hset(`raw:${symbol}`, { v: JSON.stringify(answer), s: '1' })
  }
  let used = 0
  const sourceOf = (part: string, count: number, many: (symbols: readonly string[]) => readonly Answer[]) =>
    defineSource<[symbol: string], Answer>({
      view: shared,
      keyOf: ([symbol = '']) => [symbol],
      load: async ([symbol]) => many([symbol])[0]!,
      warm: {
        keys: async () => Array.from({ length: count }, (_, n): [string] => [`${part}.${n}`]),
        loadMany: async (keys) => many(keys.map(([symbol]) => symbol)),
      },
    }) as unknown as AnySource
  // A key of a round stands for the row of its number.
  const rowOf = (symbol: string) => symbolOf(Number(symbol.split('.')[1]))
  const one = database.prepare('SELECT answer FROM answers WHERE symbol = ?').pluck()
  const some = database
    .prepare('SELECT a.answer FROM json_each(?) j JOIN answers a ON a.symbol = j.value ORDER BY j.key')
    .pluck()
  return {
    warming: (part, count) => sourceOf(part, count, (symbols) => symbols.map(answerOf)),
    stored: (part, count) =>
      sourceOf(part, count, (symbols) =>
        some.all(JSON.stringify(symbols.map(rowOf))).map((text) => JSON.parse(String(text))),
      ),
    row: (symbol) => JSON.parse(String(one.get(rowOf(symbol)))),
    ...{ views, client, database, kept, shared },
    fresh: () => `f${used++}`,
    async close() {
      await Promise.all([views.close(), closeRedis(client)])
      database.close()
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Runs `ask` so often, by as many callers at once; answers how many a second. */
export async function perSecond(
  count: number,
  callers: number,
  ask: (n: number) => Promise<unknown>,
): Promise<number> {
  let next = 0
  const began = performance.now()
  const caller = async () => {
    while (next < count) await ask(next++)
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (count / (performance.now() - began)) * 1_000
}
