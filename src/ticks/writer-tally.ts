// How a tick writer is, from its own events.
import { isoTime } from '../kernel/index.ts'
import { type TickEmitter, type TickEvents, tickEmitter } from './tick-events.ts'

export interface FailingDay {
  /** YYYY-MM-DD. */
  readonly day: string
  readonly code: string
  readonly reason: string
  /** ms UTC. */
  readonly since: number
}

export interface Tally {
  readonly events: TickEmitter
  failing(): FailingDay[]
  /** Whether that day, YYYY-MM-DD, is. */
  isFailing(day: string): boolean
  /** A lock or a disk is in the way, and nothing was written since. */
  isStuck(): boolean
}

const DAY_MS = 86_400_000
export const dayText = (day: number) => isoTime(day * DAY_MS).slice(0, 10)

const TOLD_ON = [
  ...(['received', 'spilled', 'drained', 'retried', 'refused'] as const),
  ...(['cut', 'kept', 'unspilled', 'disturbed'] as const),
]

/** `outside` hears the same events. */
export function openTally(outside: TickEmitter | undefined): Tally {
  const events = tickEmitter()
  const forward = outside as { emit(kind: string, fact: unknown): boolean } | undefined
  const failing = new Map<string, FailingDay>()
  let isStuck = false
  const on = <K extends keyof TickEvents>(kind: K, heed: (fact: Parameters<TickEvents[K]>[0]) => void) => {
    const listener = (fact: Parameters<TickEvents[K]>[0]) => {
      heed(fact)
      forward?.emit(kind, fact)
    }
    events.on(kind, listener as never)
  }
  on('flushed', () => {
    isStuck = false
  })
  on('failing', (fact) => {
    failing.set(fact.day, fact)
    isStuck ||= fact.code === 'DATABASE_BUSY' || fact.code === 'DATABASE_UNAVAILABLE'
  })
  on('recovered', ({ day }) => {
    failing.delete(day)
  })
  on('died', () => {
    // What waited for them died with it.
    failing.clear()
  })
  for (const kind of TOLD_ON) on(kind, () => {})

  return {
    events,
    failing: () => [...failing.values()],
    isFailing: (day) => failing.has(day),
    isStuck: () => isStuck && failing.size > 0,
  }
}
