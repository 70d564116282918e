// What the tests of the engine share: two small real stores (SQLite files), engines that ask often, and processes that
// can be killed.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import {
  type Cutover,
  type CutoverOptions,
  type FeatureStores,
  openCutover,
} from '../../src/cutover/index.ts'
import type { Database } from '../../src/db/index.ts'
import { systemClock } from '../../src/kernel/index.ts'

export const FEATURES = ['toys', 'others'] as const
export type FeatureName = (typeof FEATURES)[number]

export interface ToyStore {
  /** Keys are `part/rest`. */
  put(key: string, value: string): void
  get(key: string): string | undefined
  remove(key: string): void
  keys(): string[]
  /** Of parts: `[part, records]`. */
  parts(): { name: string; records: number }[]
  of(part: string, after: string, limit: number): { key: string; value: string }[]
  close(): void
}

export function openToyStore(path: string): ToyStore {
  const db = new Sqlite(path)
  db.pragma('journal_mode = WAL')
  // A kill of the process loses nothing that way either; a power cut is not what is tested.
  db.pragma('synchronous = OFF')
  db.exec('create table if not exists toys (part text, key text, value text, primary key (part, key))')
  const insert = db.prepare('insert or replace into toys values (?, ?, ?)')
  const partOf = (key: string) => key.slice(0, key.indexOf('/'))
  return {
    put: (key, value) => void insert.run(partOf(key), key, value),
    get: (key) => db.prepare<[string], string>('select value from toys where key = ?').pluck().get(key),
    remove: (key) => void db.prepare('delete from toys where key = ?').run(key),
    keys: () => db.prepare<[], string>('select key from toys order by key').pluck().all(),
    parts: () =>
      db
        .prepare<[], { name: string; records: number }>(
          'select part as name, count(*) as records from toys group by part',
        )
        .all(),
    of: (part, after, limit) =>
      db
        .prepare<[string, string, number], { key: string; value: string }>(
          'select key, value from toys where part = ? and key > ? order by key limit ?',
        )
        .all(part, after, limit),
    close: () => void db.close(),
  }
}

/** Of a numbered toy. */
export const toyKey = (n: number) => `p${n % 3}/${String(n).padStart(6, '0')}`

export interface Toys {
  readonly legacy: ToyStore
  readonly current: ToyStore
  readonly stores: FeatureStores
  close(): void
}

const PAGE = 50

export function openToys(folder: string): Toys {
  mkdirSync(folder, { recursive: true })
  const legacy = openToyStore(join(folder, 'legacy.db'))
  const current = openToyStore(join(folder, 'current.db'))
  const both = { legacy, current }
  async function* records(store: ToyStore, part: string) {
    for (let after = ''; ; ) {
      const page = store.of(part, after, PAGE)
      if (page.length === 0) return
      yield page
      after = page.at(-1)!.key
    }
  }
  return {
    legacy,
    current,
    stores: {
      name: 'toys',
      parts: async (side) => both[side].parts(),
      records: (side, part) => records(both[side], part.name),
      async copy(part, to, onRead, signal) {
        for await (const page of records(both[to === 'legacy' ? 'current' : 'legacy'], part.name)) {
          if (signal.aborted) return
          for (const { key, value } of page) both[to].put(key, value)
          onRead(page.length)
        }
      },
    },
    close() {
      legacy.close()
      current.close()
    },
  }
}

/** Short enough for a test, in the proportions of the defaults. */
export const QUICK = {
  ...{ pollMs: 20, blindMs: 150, leaseMs: 200, lookAgainMs: 30 },
  recheckMs: [20, 50] as readonly number[],
}

export const openEngine = (
  database: Database,
  more: Partial<CutoverOptions<FeatureName>> = {},
): Cutover<FeatureName> =>
  openCutover({ database, clock: systemClock, features: FEATURES, ...QUICK, ...more })

/** For the features that there are. */
export const openRealEngine = (database: Database, leaseMs = 5): Cutover<'ticks' | 'candles'> =>
  openCutover({ database, clock: systemClock, features: ['ticks', 'candles'], ...QUICK, leaseMs })

/** As before the first change. */
export const forgetCutovers = (database: Database): Promise<void> =>
  database.write(async ({ sql, t }) => {
    for (const table of [t.cutovers, t.cutoverChanges, t.parityRuns, t.parityDifferences])
      await sql.delete(table)
  })

/** All the steps up to a phase, with copy and comparisons. */
export async function moveTo(
  engine: Cutover<FeatureName>,
  stores: FeatureStores,
  phase: 'dual' | 'shadow' | 'primary' | 'done',
): Promise<void> {
  await engine.advance('toys', { reason: 'begin' })
  for (const next of ['dual', 'shadow', 'primary', 'done']) {
    if (next === 'dual') await engine.copy(stores)
    else {
      await engine.compare(stores)
      await engine.advance('toys', { reason: `on to ${next}` })
    }
    if (next === phase) return
  }
}

export interface ChildOptions {
  readonly mode: 'follow' | 'write' | 'consume' | 'consume carelessly' | 'copy'
  readonly folder: string
  /** With it the child hears messages and consumes. */
  readonly redisUrl?: string
  readonly stream?: string
  readonly pollMs?: number
  readonly leaseMs?: number
  /** Hangs between its two stores at this number, or in the copy of this part. */
  readonly hangAt?: number | string
}

export interface Child {
  readonly process: ChildProcess
  readonly exited: Promise<void>
  /** What it has told, oldest first. */
  readonly told: readonly Record<string, unknown>[]
  kill(): Promise<void>
}

export function startChild(options: ChildOptions, environment: Readonly<Record<string, string>>): Child {
  const path = new URL('./child.ts', import.meta.url).pathname
  const child = fork(path, [JSON.stringify(options)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const told: Record<string, unknown>[] = []
  child.on('message', (message) => told.push(message as Record<string, unknown>))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const killIt = () => void child.kill('SIGKILL')
  process.once('exit', killIt)
  void exited.then(() => process.off('exit', killIt))
  return {
    process: child,
    exited,
    told,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
