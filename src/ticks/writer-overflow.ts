// Batches on their way into the spill files. One write and one fsync take all that wait; while the files cannot be
// written the batches stay here and count as held, so that callers wait instead of losing anything.
import { type Clock, messageOf } from '../kernel/index.ts'
import type { Sealed } from './queue.ts'
import { settleSpilled } from './queue-adds.ts'
import type { Spill } from './spill.ts'
import type { TickEmitter } from './tick-events.ts'

const RETRY_MS = 50
const RETRY_MS_MAX = 1_000

export interface Overflow {
  push(sealed: Sealed): void
  isEmpty(): boolean
  /** The oldest, to go into the store after all; undefined while all are being written. */
  takeBack(): Sealed | undefined
  /** Tries no more; answers what is left. */
  close(): Promise<Sealed[]>
}

export interface OverflowOptions {
  readonly spill: Spill
  readonly clock: Clock
  readonly events: TickEmitter
  /** So many ticks are not held any more. */
  readonly release: (count: number) => void
}

export function openOverflow({ spill, clock, events, release }: OverflowOptions): Overflow {
  let waiting: Sealed[] = []
  let writing: Sealed[] = []
  let running: Promise<void> | undefined
  let isFailing = false
  const stop = new AbortController()

  const write = async (): Promise<void> => {
    writing = waiting
    waiting = []
    try {
      const bytes = await spill.append(writing.map(({ batch }) => batch))
      isFailing = false
      for (const { batch, parts } of writing) {
        settleSpilled(parts)
        release(batch.count)
      }
      const count = writing.reduce((sum, { batch }) => sum + batch.count, 0)
      events.emit('spilled', { count, bytes })
    } catch (error) {
      waiting = [...writing, ...waiting]
      if (!isFailing) events.emit('unspilled', { reason: messageOf(error) })
      isFailing = true
    }
    writing = []
  }
  const run = async () => {
    for (let failures = 0; waiting.length > 0 && !stop.signal.aborted; ) {
      await write()
      failures = isFailing ? failures + 1 : 0
      const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(failures, 10))
      if (isFailing) await clock.sleep(pauseMs, stop.signal)
    }
    running = undefined
  }
  return {
    push(sealed) {
      waiting.push(sealed)
      running ??= run()
    },
    isEmpty: () => waiting.length === 0 && writing.length === 0,
    takeBack: () => (isFailing && writing.length === 0 ? waiting.shift() : undefined),
    async close() {
      stop.abort()
      await running
      return waiting
    },
  }
}
