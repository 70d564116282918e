// One entry through its handler: attempts with pauses between them, then the dead letter. The pauses are waited in
// process while the entry stays pending, so a crash at any point gives it to the next consumer.
//
// The delivery count that Redis keeps for a pending entry is used as the number of attempts that were begun: taking
// over does not raise it, beginning an entry that had been delivered before does. Counting deliveries instead would
// bury entries that were only ever held: each restart delivers up to 2,000 of a partition again.
import { messageOf } from '../kernel/index.ts'
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

export interface Attempts<T> {
  readonly link: Link
  readonly options: Pick<ConsumeOptions<T>, 'stream' | 'group' | 'retryMs' | 'crashesMax'>
  readonly handlers: Handlers<T>
  readonly slots: Slots
  /** No further attempt is begun once it aborts; the one under way may finish. */
  readonly stopping: AbortSignal
  /** False as soon as the entry may be another's. */
  readonly isOurs: (entry: string) => boolean
  /** Notes in Redis that an attempt begins, for an entry that had been delivered before. */
  readonly begin: (entry: string, attempt: number) => Promise<void>
}

const KEPT = { kind: 'kept' } as const

/** @param again it had been delivered before, to a consumer that did not bring it to an end. */
export async function attempt<T>(attempts: Attempts<T>, entry: Entry<T>, again: boolean): Promise<Outcome> {
  const { link, options, slots, stopping, isOurs } = attempts
  const { retryMs = RETRY_MS, crashesMax = CRASHES_MAX } = options
  const attemptsMax = retryMs.length + 1
  if (again && entry.attempt > Math.max(attemptsMax, crashesMax)) {
    const reason = `begun ${entry.attempt - 1} times without an end: its handler takes the process down`
    return { kind: 'dead', reason, stack: undefined, attempts: entry.attempt - 1 }
  }
  const mayBegin = () => !stopping.aborted && isOurs(entry.entry)
  let next = entry
  while (mayBegin()) {
    const isMarked = again && next === entry
    const error = await slots.run(
      async () => {
        if (!mayBegin()) return KEPT
        if (isMarked) await attempts.begin(entry.entry, entry.attempt)
        return attempts.handlers.run(next)
      },
      isMarked && entry.attempt >= SUSPECT_FROM,
    )
    if (error === undefined) return { kind: 'done' }
    if (error === KEPT || !isOurs(entry.entry)) break
    const reason = messageOf(error)
    const isFree = error instanceof RetryAfter
    if (error instanceof Reject || (next.attempt >= attemptsMax && !isFree)) {
      return { kind: 'dead', reason, stack: stackOf(error), attempts: next.attempt }
    }
    const inMs = isFree ? afterAtLeast(error.delayMs) : (retryMs[next.attempt - 1] ?? 0)
    const where = { stream: options.stream.name, group: options.group, entry: entry.entry }
    link.events.emit('retried', { ...where, attempt: next.attempt, inMs, reason })
    next = { ...next, attempt: next.attempt + (isFree ? 0 : 1) }
    await link.clock.sleep(inMs, stopping)
  }
  return KEPT
}

const stackOf = (error: unknown) => (error instanceof Error ? error.stack : undefined)

/** A pause of nothing would spin, and Node takes one above 24 days for nothing. */
const afterAtLeast = (delayMs: number) =>
  Number.isNaN(delayMs) ? 1 : Math.min(Math.max(delayMs, 1), RETRY_AFTER_MAX_MS)
