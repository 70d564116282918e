// Batches on their way into the spill files. One write and one fsync take all that wait; while the files cannot be
// written the batches stay here and count as held, so that callers wait instead of losing anything.
import { type Clock, messageOf } from '../kernel/index.ts'
import type { Sealed } from './queue.ts'
import { settleSpilled } from './queue-adds.ts'
import type { Spill } from './spill.ts'
import type { TickEmitter } from './tick-events.ts'

const RETRY_MS = 50
const RETRY_MS_MAX = 1_000

/** A batch that is not to go to the thread now. */
export interface Aside extends Sealed {
  /** YYYY-MM-DD: the one day of its ticks, which gave them back. */
  readonly day?: string
  /** It was no matter of the day. */
  readonly isRefused?: boolean
}

export interface Overflow {
  push(aside: Aside): void
  isEmpty(): boolean
  /** The oldest that may go into the store after all; undefined while the spill files are written, or take what comes. */
  takeBack(): Sealed | undefined
  /** Tries no more; answers what is left. */
  close(): Promise<Sealed[]>
}

export interface OverflowOptions {
  readonly spill: Spill
  readonly isFailing: (day: string) => boolean
  readonly clock: Clock
  readonly events: TickEmitter
  /** So many ticks are not held any more. */
  readonly release: (count: number) => void
}

export function openOverflow({ spill, isFailing, clock, events, release }: OverflowOptions): Overflow {
  let waiting: Aside[] = []
  let writing: Aside[] = []
  let running: Promise<void> | undefined
  let isUnable = false
  const stop = new AbortController()

  /** Those that lie in one file: of one day, or of none. */
  const write = async (): Promise<void> => {
    const { day } = waiting[0]!
    writing = waiting.filter((one) => one.day === day)
    waiting = waiting.filter((one) => one.day !== day)
    try {
      const bytes = await spill.append(
        writing.map(({ batch }) => batch),
        day,
      )
      isUnable = false
      for (const { batch, parts } of writing) {
        settleSpilled(parts)
        release(batch.count)
      }
      const count = writing.reduce((sum, { batch }) => sum + batch.count, 0)
      writing = []
      events.emit('spilled', { count, bytes })
    } catch (error) {
      waiting = [...writing, ...waiting]
      writing = []
      if (!isUnable) events.emit('unspilled', { reason: messageOf(error) })
      isUnable = true
    }
  }
  const run = async () => {
    for (let failures = 0; waiting.length > 0 && !stop.signal.aborted; ) {
      await write()
      failures = isUnable ? failures + 1 : 0
      const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(failures, 10))
      if (isUnable) await clock.sleep(pauseMs, stop.signal)
    }
    running = undefined
  }
  // What its day gave back would only come back again.
  const mayGo = ({ day, isRefused = false }: Aside) => !isRefused && (day === undefined || !isFailing(day))
  return {
    push(aside) {
      waiting.push(aside)
      running ??= run()
    },
    isEmpty: () => waiting.length === 0 && writing.length === 0,
    takeBack() {
      const at = isUnable && writing.length === 0 ? waiting.findIndex(mayGo) : -1
      return at === -1 ? undefined : waiting.splice(at, 1)[0]
    },
    async close() {
      stop.abort()
      await running
      return waiting
    },
  }
}
