// A bounded queue in front of `publish`. Channel callbacks put in; one loop takes out, up to 500 at a time (one by
// one 14 k/s, in pipelines of 500 above 100 k/s, measured), and repeats until Redis has stored them.
import type { Bus, Outgoing } from '../bus/index.ts'
import { type Clock, isSluiceError, messageOf, type Task } from '../kernel/index.ts'
import type { MarketEmitter } from './market-events.ts'

const BATCH_MAX = 500
const BACK_OFF_MS = [50, 100, 200, 400, 800, 1_600] as const
// Once told to stop: 3 s of further tries, within the drain time of a worker.
const LAST_TRIES = 6

export interface Outbound {
  /** False when there is no room; nothing of the events was taken then. */
  offer(events: readonly Outgoing[]): boolean
  /** Publishes until told to stop, then what is left. What it cannot publish then is counted as lost. */
  readonly task: Task
}

export interface OutboundOptions {
  readonly bus: Pick<Bus, 'publish'>
  readonly clock: Clock
  readonly events: MarketEmitter
  /** Events that wait at most. */
  readonly max: number
}

/** Redis is away or the stream is full: the same events may go through later. */
export const isTemporary = (error: unknown): boolean =>
  isSluiceError(error, 'OVERLOADED') || isSluiceError(error, 'REDIS_UNAVAILABLE')

export function openOutbound(options: OutboundOptions): Outbound {
  const { events, max } = options
  const queue: Outgoing[] = []
  let wake: () => void = () => undefined

  async function task(signal: AbortSignal): Promise<void> {
    const onAbort = () => wake()
    signal.addEventListener('abort', onAbort)
    try {
      for (;;) {
        const batch = queue.slice(0, BATCH_MAX)
        if (batch.length === 0) {
          if (signal.aborted) return
          await new Promise<void>((resolve) => {
            wake = resolve
            if (signal.aborted || queue.length > 0) resolve()
          })
        } else if (await publishAll(options, batch, signal, () => queue.length)) {
          queue.splice(0, batch.length)
        } else {
          events.emit('lost', { reason: 'stopped', count: queue.splice(0).length })
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  return {
    task,
    offer(given) {
      if (queue.length + given.length > max) return false
      for (const event of given) queue.push(event)
      wake()
      return true
    },
  }
}

/**
 * Publishes however long it takes: temporary failures are repeated with back-off. False when it was told to stop
 * and gave up. An event that can never be stored is counted as lost and takes no other with it.
 */
export async function publishAll(
  { bus, clock, events }: Pick<OutboundOptions, 'bus' | 'clock' | 'events'>,
  batch: readonly Outgoing[],
  signal: AbortSignal,
  queued: () => number = () => batch.length,
): Promise<boolean> {
  let lastTries = 0
  for (let attempt = 0; ; attempt += 1) {
    try {
      await bus.publish(batch)
      return true
    } catch (error) {
      if (!isTemporary(error)) break
      if (signal.aborted && ++lastTries > LAST_TRIES) return false
      const inMs = BACK_OFF_MS[Math.min(attempt, BACK_OFF_MS.length - 1)]!
      events.emit('waiting', { reason: messageOf(error), queued: queued(), inMs })
      await (signal.aborted ? clock.sleep(500) : clock.sleep(inMs, signal))
    }
  }
  if (batch.length === 1) events.emit('lost', { reason: 'refused', count: 1 })
  else
    for (const event of batch) if (!(await publishAll({ bus, clock, events }, [event], signal))) return false
  return true
}
