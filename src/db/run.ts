// What both drivers share around a transaction: refusal of nested and late calls, attempts until the deadline,
// callbacks after the commit, events, and an orderly close.
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomInt } from 'node:crypto'
import { isSluiceError, messageOf, SluiceError } from '../kernel/index.ts'
import type { Database, DatabaseOptions, Driver, Tx } from './database.ts'
import { databaseEmitter } from './events.ts'
import { type Kind, openTransaction, type Transaction } from './transaction.ts'

/** Nothing was written and the same work may succeed when it is tried again; `cause` is thrown at the deadline. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain'
  override readonly cause: SluiceError
  constructor(cause: SluiceError) {
    super(cause.message)
    this.cause = cause
  }
}

export type Work<T> = (tx: Tx) => Promise<T>

/** A turn to begin transactions, and how to give it back. */
export interface Turn {
  /** Begin, work, commit or roll back, once. Throws TryAgain when another attempt makes sense. */
  attempt<T>(transaction: Transaction, work: Work<T>): Promise<T>
  release(): void
}

export interface Backend {
  readonly driver: Driver
  /** Waits for a turn; throws DATABASE_BUSY after `waitMs`. */
  turn(kind: Kind, waitMs: number): Promise<Turn>
  close(): Promise<void>
}

export const BUSY_MS = 5_000
// Pauses between attempts grow from 2 to at most 32 ms, each drawn at random so that rivals fall out of step.
const PAUSES_MS = [2, 4, 8, 16, 32] as const

export function runOn(
  openBackend: (disturbed: (reason: string) => void) => Backend,
  { clock, busyMs = BUSY_MS, log, driver }: DatabaseOptions,
): Database {
  const events = databaseEmitter()
  const inside = new AsyncLocalStorage<Transaction>()
  const running = new Set<Promise<unknown>>()
  const backend = openBackend((reason) => {
    events.emit('disturbed', { reason })
    log?.warn({ reason }, 'a database connection broke')
  })
  let closing: Promise<void> | undefined

  const begin = <T>(kind: Kind, work: Work<T>): Promise<T> => {
    if (closing) return Promise.reject(new SluiceError('USAGE', `${kind}() was called after close().`))
    const outer = inside.getStore()
    if (outer && !outer.ended) {
      const message = `${kind}() was called inside ${outer.kind}(); use the transaction that is open.`
      return Promise.reject(new SluiceError('USAGE', message))
    }
    const result = run(kind, work)
    running.add(result)
    result.catch(() => undefined).finally(() => running.delete(result))
    return result
  }

  const run = async <T>(kind: Kind, work: Work<T>): Promise<T> => {
    const asked = clock.monotonic()
    const leftMs = () => asked + busyMs - clock.monotonic()
    let turn: Turn | undefined
    try {
      turn = await backend.turn(kind, busyMs)
      const waitedMs = clock.monotonic() - asked
      const { value, transaction } = await attempts(kind, turn, work, leftMs)
      events.emit('done', { kind, waitedMs, tookMs: clock.monotonic() - asked - waitedMs })
      turn.release()
      turn = undefined
      for (const fire of transaction.callbacks) fireAfterCommit(fire)
      return value
    } catch (error) {
      events.emit('failed', { kind, reason: isSluiceError(error) ? error.code : messageOf(error) })
      throw error
    } finally {
      turn?.release()
    }
  }

  const attempts = async <T>(kind: Kind, turn: Turn, work: Work<T>, leftMs: () => number) => {
    for (let attempt = 1; ; attempt++) {
      const transaction = openTransaction(kind)
      try {
        const value = await inside.run(transaction, () => turn.attempt(transaction, work))
        return { value, transaction }
      } catch (error) {
        if (!(error instanceof TryAgain)) throw error
        const left = leftMs()
        if (left <= 0) throw error.cause
        events.emit('retried', { kind, attempt, reason: messageOf(error) })
        const pause = PAUSES_MS[Math.min(attempt, PAUSES_MS.length) - 1]!
        await clock.sleep(Math.min(randomInt(1, pause + 1), left))
      } finally {
        transaction.ended = true
      }
    }
  }

  const fireAfterCommit = async (fire: () => void | Promise<void>) => {
    try {
      await fire()
    } catch (error) {
      events.emit('afterCommitFailed', { reason: messageOf(error) })
      log?.error({ err: error }, 'a callback after a commit failed')
    }
  }

  return {
    driver,
    events,
    read: (work) => begin('read', work),
    write: (work) => begin('write', work),
    close() {
      closing ??= Promise.allSettled(running).then(() => backend.close())
      return closing
    },
  }
}
