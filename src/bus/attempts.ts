// One entry through its handler: attempts with pauses between them, then the dead letter. The pauses are waited in
// process while the entry stays pending, so a crash at any point gives it to the next consumer.
//
// The delivery count that Redis keeps for a pending entry is used as the number of consumers that began it and did not
// see it end: taking over does not raise it, beginning an entry that had been delivered before does, and a consumer that
// stops during a pause lowers it again. Counting deliveries instead would bury entries that were only ever held: each
// restart delivers up to 2,000 of a partition again.
import { isSluiceError, messageOf } from '../kernel/index.ts'
import { type ConsumeOptions, type Entry, Reject, RetryAfter } from './bus.ts'
import type { Handlers } from './handlers.ts'
import type { Slots } from './lanes.ts'
import type { Link } from './link.ts'

const RETRY_MS = [100, 1_000, 5_000, 15_000] as const
/** An entry that was begun this often without an end is taken for the reason of the ends. */
const CRASHES_MAX = 5
/** From here on it is begun alone, so that what runs beside it is not taken for the culprit. */
const SUSPECT_FROM = 3
const RETRY_AFTER_MAX_MS = 3_600_000

/** done: acknowledge. dead: bury. kept: leave pending, the consumer is stopping or lost the partition. */
export type Outcome =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'dead'
      readonly reason: string
      readonly stack: string | undefined
      readonly attempts: number
    }
  | { readonly kind: 'kept' }

const KEPT: Outcome = { kind: 'kept' }
const DONE: Outcome = { kind: 'done' }

export interface Attempts<T> {
  readonly link: Link
  readonly options: Pick<ConsumeOptions<T>, 'stream' | 'group' | 'retryMs' | 'crashesMax'>
  readonly handlers: Handlers<T>
  readonly slots: Slots
  /** No further attempt is begun once it aborts; the one under way may finish. */
  readonly stopping: AbortSignal
  /** False as soon as the entry may be another's. */
  readonly isOurs: (entry: string) => boolean
  /** Notes in Redis how often an entry was begun without an end, unless it is another's by now. */
  readonly noteBegun: (entry: string, times: number) => Promise<void>
  /** Told what ends the consumer, or its ownership of the partition, while an entry is attempted. */
  readonly failed: (error: unknown) => void
}

/**
 * Calls `ended` once. The first attempt of an entry that is new goes through without a promise of ours.
 * @param again it had been delivered before, to a consumer that did not bring it to an end.
 */
export function attempt<T>(
  attempts: Attempts<T>,
  entry: Entry<T>,
  again: boolean,
  ended: (outcome: Outcome) => void,
): void {
  const { crashesMax = CRASHES_MAX } = attempts.options
  if (again && entry.attempt > crashesMax) {
    const reason = `begun ${entry.attempt - 1} times without an end: its handler takes the process down`
    return void ended({ kind: 'dead', reason, stack: undefined, attempts: entry.attempt - 1 })
  }
  if (again) return void attemptAgain(attempts, entry, beginMarked(attempts, entry)).then(ended)
  tryOnce(attempts, entry, (error) => {
    if (error === undefined) ended(DONE)
    else if (error === KEPT) ended(KEPT)
    else void attemptAgain(attempts, entry, Promise.resolve(error)).then(ended)
  })
}

/** Runs the handler once in a slot; KEPT when nothing was begun. */
function tryOnce<T>(attempts: Attempts<T>, entry: Entry<T>, ended: (error: unknown) => void): void {
  attempts.slots.enter((leave) => {
    const end = (error: unknown) => {
      leave()
      ended(error)
    }
    if (mayBegin(attempts, entry)) attempts.handlers.run(entry, end)
    else end(KEPT)
  })
}

/** The first attempt of an entry that had been delivered before is noted in Redis. Resolves as `tryOnce` ends. */
function beginMarked<T>(attempts: Attempts<T>, entry: Entry<T>): Promise<unknown> {
  return new Promise((resolve) => {
    attempts.slots.enter((leave) => {
      const end = (error: unknown) => {
        leave()
        resolve(error)
      }
      if (!mayBegin(attempts, entry)) return void end(KEPT)
      attempts
        .noteBegun(entry.entry, entry.attempt)
        // Time may have passed meanwhile that no timer has noticed yet.
        .then(() =>
          mayBegin(attempts, entry)
            ? attempts.handlers.run(entry, end)
            : void letGo(attempts, entry).then(end),
        )
        .catch((error) => {
          attempts.failed(error)
          end(KEPT)
        })
    }, entry.attempt >= SUSPECT_FROM)
  })
}

/** @param first how the first attempt ended. Never rejects. */
async function attemptAgain<T>(
  attempts: Attempts<T>,
  entry: Entry<T>,
  first: Promise<unknown>,
): Promise<Outcome> {
  const { link, options, stopping, isOurs } = attempts
  const { retryMs = RETRY_MS } = options
  let next = entry
  let error = await first
  for (;;) {
    if (error === undefined) return DONE
    // The slot for a further attempt came too late.
    if (error === KEPT && next !== entry) return letGo(attempts, entry)
    if (error === KEPT || !isOurs(entry.entry) || link.closing.aborted) return KEPT
    if (isSluiceError(error, 'OWNERSHIP_LOST')) {
      attempts.failed(error)
      return KEPT
    }
    const reason = messageOf(error)
    const delayMs = error instanceof RetryAfter ? afterAtLeast(error.delayMs) : undefined
    if (error instanceof Reject || (next.attempt > retryMs.length && delayMs === undefined)) {
      return { kind: 'dead', reason, stack: stackOf(error), attempts: next.attempt }
    }
    const inMs = delayMs ?? retryMs[next.attempt - 1] ?? 0
    const where = { stream: options.stream.name, group: options.group, entry: entry.entry }
    link.events.emit('retried', { ...where, attempt: next.attempt, inMs, reason })
    next = { ...next, attempt: next.attempt + (delayMs === undefined ? 1 : 0) }
    await link.clock.sleep(inMs, stopping)
    if (stopping.aborted) return letGo(attempts, entry)
    error = await new Promise<unknown>((resolve) => tryOnce(attempts, next, resolve))
  }
}

/** It was begun and has ended here, with the process alive: whoever takes it over need not fear it. */
async function letGo<T>(attempts: Attempts<T>, { entry, attempt }: Entry<T>): Promise<Outcome> {
  if (attempts.isOurs(entry)) await attempts.noteBegun(entry, attempt - 1).catch(attempts.failed)
  return KEPT
}

const mayBegin = <T>({ link, stopping, isOurs }: Attempts<T>, { entry }: Entry<T>) =>
  !stopping.aborted && !link.closing.aborted && isOurs(entry)

const stackOf = (error: unknown) =>
  error instanceof Error && typeof error.stack === 'string' ? error.stack : undefined

/** A pause of nothing would spin, and Node takes one above 24 days for nothing. */
const afterAtLeast = (delayMs: number) =>
  Number.isNaN(delayMs) ? 1 : Math.min(Math.max(delayMs, 1), RETRY_AFTER_MAX_MS)
