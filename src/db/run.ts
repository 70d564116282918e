// What both drivers share around a transaction: refusal of nested and late calls, attempts until the deadline,
// callbacks after the commit, events, and an orderly close.
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomInt } from 'node:crypto'
import { type Clock, isSluiceError, type Logger, messageOf, SluiceError } from '../kernel/index.ts'
import type { Database, DatabaseOptions, Driver, Rows, Tx } from './database.ts'
import { type DatabaseEmitter, databaseEmitter } from './events.ts'
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
  /** One select alone, where to begin and to end would be round trips. */
  readonly rows?: Rows
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

interface Runner {
  readonly backend: Backend
  readonly events: DatabaseEmitter
  readonly inside: AsyncLocalStorage<Transaction>
  readonly clock: Clock
  readonly busyMs: number
  readonly log: Logger | undefined
}

export function runOn(
  openBackend: (disturbed: (reason: string) => void) => Backend,
  { clock, busyMs = BUSY_MS, log }: DatabaseOptions,
): Database {
  const events = databaseEmitter()
  const backend = openBackend((reason) => {
    events.emit('disturbed', { reason })
    log?.warn({ reason }, 'a database connection broke')
  })
  const runner = { backend, events, inside: new AsyncLocalStorage<Transaction>(), clock, busyMs, log }
  const running = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  const begin = async <T>(kind: Kind, use: Use<T>): Promise<T> => {
    if (closing) throw new SluiceError('USAGE', `${kind}() was called after close().`)
    refuseNested(runner, kind)
    const result = run(runner, kind, use)
    running.add(result)
    try {
      return await result
    } finally {
      running.delete(result)
    }
  }
  return {
    driver: backend.driver,
    events,
    read: (work) => begin('read', (turn, transaction) => turn.attempt(transaction, work)),
    rows: (select, values) =>
      begin(
        'read',
        (turn, transaction) =>
          turn.rows?.(select, values) ?? turn.attempt(transaction, (tx) => tx.rows(select, values)),
      ),
    write: (work) => begin('write', (turn, transaction) => turn.attempt(transaction, work)),
    close() {
      closing ??= Promise.allSettled(running).then(() => backend.close())
      return closing
    },
  }
}

/** A second transaction inside the first would wait for it for ever, or commit what the first rolls back. */
function refuseNested({ inside }: Runner, kind: Kind): void {
  const outer = inside.getStore()
  if (!outer || outer.ended) return
  const message = `${kind}() was called inside ${outer.kind}(); use the transaction that is open.`
  throw new SluiceError('USAGE', message)
}

/** What is done with a turn, in each attempt. */
type Use<T> = (turn: Turn, transaction: Transaction) => Promise<T>

async function run<T>(runner: Runner, kind: Kind, use: Use<T>): Promise<T> {
  const { backend, events, clock, busyMs } = runner
  const askedAt = clock.monotonic()
  try {
    const turn = await backend.turn(kind, busyMs)
    const waitedMs = clock.monotonic() - askedAt
    const { value, callbacks } = await attempts(runner, kind, turn, use, askedAt + busyMs).finally(
      turn.release,
    )
    events.emit('done', { kind, waitedMs, tookMs: clock.monotonic() - askedAt - waitedMs })
    for (const fire of callbacks) fireAfterCommit(runner, fire)
    return value
  } catch (error) {
    events.emit('failed', { kind, reason: isSluiceError(error) ? error.code : messageOf(error) })
    throw error
  }
}

async function attempts<T>(
  { inside, events, clock }: Runner,
  kind: Kind,
  turn: Turn,
  use: Use<T>,
  deadline: number,
): Promise<{ value: T; callbacks: Transaction['callbacks'] }> {
  for (let attempt = 1; ; attempt++) {
    const transaction = openTransaction(kind)
    try {
      const value = await inside.run(transaction, () => use(turn, transaction))
      return { value, callbacks: transaction.callbacks }
    } catch (error) {
      if (!(error instanceof TryAgain)) throw error
      const leftMs = deadline - clock.monotonic()
      if (leftMs <= 0) throw error.cause
      events.emit('retried', { kind, attempt, reason: error.message })
      const pauseMs = randomInt(1, PAUSES_MS[Math.min(attempt, PAUSES_MS.length) - 1]! + 1)
      await clock.sleep(Math.min(pauseMs, leftMs))
    } finally {
      transaction.ended = true
    }
  }
}

async function fireAfterCommit({ events, log }: Runner, fire: () => void | Promise<void>): Promise<void> {
  try {
    await fire()
  } catch (error) {
    events.emit('afterCommitFailed', { reason: messageOf(error) })
    log?.error({ err: error }, 'a callback after a commit failed')
  }
}
