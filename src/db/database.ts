// The port: what a store may ask of the database. The comments are the guarantees; test/db holds each of them
// on both drivers.
import type { PgDatabase, PgQueryResultHKT, PgTable } from 'drizzle-orm/pg-core'
import type { Tables } from '../../schema/index.ts'
import type { Clock, Logger } from '../kernel/index.ts'
import type { DatabaseEmitter } from './events.ts'
import type { Fields, PreparedSelect, RowOf } from './prepared-select.ts'

export type Driver = 'sqlite' | 'postgres'

// The drivers answer a statement without `returning` differently, so its result has no type to lean on.
interface NoResult extends PgQueryResultHKT {
  readonly type: unknown
}

/**
 * Drizzle's query builder, typed once for both. `await` every query. To learn how many rows changed, use
 * `returning`. Not for stores: `.for(…)` (use `Tx.forUpdate`) and comparing or summing decimals in SQL.
 */
export type Sql = Pick<
  PgDatabase<NoResult, Record<string, never>>,
  'select' | 'selectDistinct' | 'insert' | 'update' | 'delete' | '$count' | 'with' | '$with'
>

interface Lockable {
  for(strength: 'update' | 'share', options?: { skipLocked?: true }): unknown
}

export type Rows = <F extends Fields, V extends string>(
  select: PreparedSelect<F, V>,
  values: Readonly<Record<V, string | number>>,
) => Promise<RowOf<F>[]>

export interface Tx {
  readonly sql: Sql
  readonly t: Tables
  /**
   * Locks the rows that a select reads until the transaction ends; needed wherever a value is read, checked and
   * then changed. On SQLite a write has no rival, so the query stays as it is. `skipLocked` leaves out rows that
   * another transaction holds. Refused in `read`.
   */
  forUpdate<Q extends Lockable>(query: Q, options?: { skipLocked?: true }): Q
  /** Keeps the rows that a select reads as they are until the transaction ends; others may read them meanwhile. */
  forShare<Q extends Lockable>(query: Q): Q
  /** The rows of a select that was prepared, with the values of this call. */
  rows: Rows
  /**
   * Inserts whole rows, and replaces those whose primary key is there; of two with one key the last counts. For many
   * rows: it runs at the speed of the bare driver, where the builder gives half or less. Refused in `read`.
   * @param options.areNew none of the keys is there, nor comes twice: Postgres takes three times as many rows then,
   * and one that is there after all is DATABASE_CONSTRAINT.
   */
  upsert<T extends PgTable>(
    table: T,
    rows: readonly T['$inferInsert'][],
    options?: { readonly areNew?: boolean },
  ): Promise<void>
  /**
   * Called once, in order, after the commit and never otherwise. It is not awaited, and what it throws is told by
   * the event `afterCommitFailed`, because the effect stands.
   */
  afterCommit(fire: () => void | Promise<void>): void
}

export interface Database {
  readonly driver: Driver
  readonly events: DatabaseEmitter
  /**
   * Reads one moment: every query of `work` sees the same commits, and no writer is blocked by it. Writing is
   * refused.
   */
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** `read` for one prepared select alone. Nothing begins or ends around it, which are two of three round trips. */
  rows: Rows
  /**
   * All or nothing, durable when it resolves. Rolls back when `work` throws, or when a statement failed even if
   * `work` swallowed its error. `work` may run more than once (a lost serialization race or deadlock on Postgres),
   * so it does nothing outside of `tx`. Keep it short and await nothing but queries in it: on SQLite everybody
   * else waits.
   *
   * Rejects with DATABASE_BUSY (nothing written), DATABASE_UNAVAILABLE (nothing written, unless `facts.commit` is
   * 'unknown': the connection broke while the commit was on its way), DATABASE_CONSTRAINT, MIGRATION_PENDING, or
   * what `work` threw. USAGE for a call inside another call's `work`.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Waits for what is running; afterwards every call is refused with USAGE. */
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly driver: Driver
  /** postgres:// address; Postgres only. */
  readonly url?: string
  /** The file; its folder is created. SQLite only. */
  readonly path?: string
  /** Connections at most. Default 5. */
  readonly pool?: number
  /** A transaction that cannot begin or go on because of other writers fails after this, ms. Default 5,000. */
  readonly busyMs?: number
  readonly clock: Clock
  readonly log?: Logger
}
