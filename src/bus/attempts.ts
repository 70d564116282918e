// One entry through its handler: attempts with pauses between them, then the dead letter. The pauses are waited in
// process while the entry stays pending, so a crash at any point gives it to the next consumer.
import { afterMs, messageOf, SluiceError } from '../kernel/index.ts'
import { type ConsumeOptions, type Entry, Reject, RetryAfter } from './bus.ts'
import type { Link } from './link.ts'

export const RETRY_MS = [100, 1_000, 5_000, 15_000] as const
const TIMEOUT_MS = 60_000

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

/**
 * @param stopping no further attempt is begun once it aborts; the one under way may finish.
 * @param lost aborts the attempt under way.
 */
export async function attempt<T>(
  link: Link,
  options: Pick<ConsumeOptions<T>, 'stream' | 'group' | 'handle' | 'retryMs' | 'timeoutMs'>,
  entry: Entry<T>,
  stopping: AbortSignal,
  lost: AbortSignal,
): Promise<Outcome> {
  const retryMs = options.retryMs ?? RETRY_MS
  const attemptsMax = retryMs.length + 1
  if (entry.attempt > attemptsMax) {
    const reason = `delivered ${entry.attempt} times without an end: its handler takes the process down`
    return { kind: 'dead', reason, stack: undefined, attempts: entry.attempt }
  }
  let number = entry.attempt
  while (!stopping.aborted && !lost.aborted) {
    const error = await once(options, { ...entry, attempt: number }, lost)
    if (error === undefined) return { kind: 'done' }
    if (lost.aborted) break
    const reason = messageOf(error)
    const stack = error instanceof Error ? error.stack : undefined
    if (error instanceof Reject || (number >= attemptsMax && !(error instanceof RetryAfter))) {
      return { kind: 'dead', reason, stack, attempts: number }
    }
    const inMs = error instanceof RetryAfter ? error.delayMs : (retryMs[number - 1] ?? 0)
    const { stream, group } = options
    link.events.emit('retried', {
      stream: stream.name,
      group,
      entry: entry.entry,
      attempt: number,
      inMs,
      reason,
    })
    if (!(error instanceof RetryAfter)) number++
    await link.clock.sleep(inMs, AbortSignal.any([stopping, lost]))
  }
  return { kind: 'kept' }
}

/** Resolves with what the handler threw, or undefined. */
async function once<T>(
  {
    handle,
    timeoutMs = TIMEOUT_MS,
    stream,
    group,
  }: Pick<ConsumeOptions<T>, 'stream' | 'group' | 'handle' | 'timeoutMs'>,
  entry: Entry<T>,
  lost: AbortSignal,
): Promise<unknown> {
  const late = new AbortController()
  const cancel = afterMs(timeoutMs, () => {
    const facts = { stream: stream.name, group, entry: entry.entry, timeoutMs }
    late.abort(new SluiceError('HANDLER_TIMEOUT', `The handler ran longer than ${timeoutMs} ms.`, facts))
  })
  const signal = AbortSignal.any([lost, late.signal])
  try {
    const gone = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    // A handler that ignores its signal must not hold the entry for ever.
    await Promise.race([handle(entry, { signal }), gone])
    return undefined
  } catch (error) {
    return error ?? new Error('the handler threw nothing')
  } finally {
    cancel()
  }
}
