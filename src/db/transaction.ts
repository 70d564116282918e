// One attempt at a transaction: what was registered for after the commit, and whether it may still be used. A
// failed statement spoils it on both drivers. Postgres would answer the later COMMIT with a silent ROLLBACK, so a
// swallowed error would lose the effect without a word.

import type { Tables } from '../../schema/index.ts'
import { SluiceError } from '../kernel/index.ts'
import type { Rows, Sql, Tx } from './database.ts'
import type { Row, Table } from './upsert.ts'

export type Kind = 'read' | 'write'

export interface Transaction {
  readonly kind: Kind
  readonly callbacks: (() => void | Promise<void>)[]
  ended: boolean
  /** Upserts that have not ended. */
  upserting: number
  /** The first statement's failure. */
  failure: unknown
}

export const openTransaction = (kind: Kind): Transaction => ({
  kind,
  callbacks: [],
  ended: false,
  upserting: 0,
  failure: undefined,
})

/** Throws unless another statement may run. */
export function assertUsable(transaction: Transaction): void {
  if (transaction.ended) {
    throw new SluiceError(
      'USAGE',
      `A query ran after its ${transaction.kind}() had ended; await every query in it.`,
    )
  }
  if (transaction.failure) throw transaction.failure
}

/** Remembers a statement's failure and gives it back to be thrown. */
export function fail<E>(transaction: Transaction, error: E): E {
  transaction.failure ??= error
  return error
}

/** No statement may follow. Throws unless all that the work has begun may be committed. */
export function endWork(transaction: Transaction): void {
  assertUsable(transaction)
  transaction.ended = true
  // It runs in pages, and some of them have been written.
  if (transaction.upserting > 0) {
    throw new SluiceError('USAGE', 'An upsert had not ended when its write() did; await every query in it.')
  }
}

export interface TxParts {
  readonly sql: Sql
  readonly t: Tables
  readonly lockRows: boolean
  readonly rows: Rows
  readonly upsert: (table: Table, rows: readonly Row[], areNew: boolean) => Promise<void>
}

/** What `work` receives. */
export function txOf(transaction: Transaction, { sql, t, lockRows, rows, upsert }: TxParts): Tx {
  const refuseInRead = (what: string) => {
    assertUsable(transaction)
    if (transaction.kind === 'read')
      throw new SluiceError('USAGE', `${what} was called in read(); use write().`)
  }
  return {
    sql,
    t,
    forUpdate(query, options) {
      refuseInRead('forUpdate')
      return lockRows ? (query.for('update', options) as typeof query) : query
    },
    forShare(query) {
      refuseInRead('forShare')
      return lockRows ? (query.for('share') as typeof query) : query
    },
    rows,
    async upsert(table, rows, { areNew = false } = {}) {
      refuseInRead('upsert')
      transaction.upserting++
      try {
        await upsert(table, rows, areNew)
      } catch (error) {
        // Of a value that no column takes no statement knows, and the pages in front of it are written.
        throw fail(transaction, error)
      } finally {
        transaction.upserting--
      }
    },
    afterCommit(fire) {
      refuseInRead('afterCommit')
      transaction.callbacks.push(fire)
    },
  }
}
