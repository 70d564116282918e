// What a tick writer has done and how it is, counted from its own events.
import { isoTime } from '../kernel/index.ts'
import { type TickEmitter, type TickEvents, tickEmitter } from './tick-events.ts'

export interface TickCounts {
  readonly received: number
  readonly stored: number
  readonly duplicate: number
  readonly spilled: number
  readonly drained: number
  /** Not written; their callers were told. */
  readonly refused: number
  readonly batches: number
  readonly retries: number
  /** How often a day, or the thread, began to fail. */
  readonly failures: number
  /** Of all batches together. */
  readonly flushMs: number
  readonly flushMsMax: number
}

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
  counts(): TickCounts
  failing(): FailingDay[]
  /** Whether that day, YYYY-MM-DD, is. */
  isFailing(day: string): boolean
  /** A lock or a disk is in the way, and nothing was written since. */
  isStuck(): boolean
}

const DAY_MS = 86_400_000
export const dayText = (day: number) => isoTime(day * DAY_MS).slice(0, 10)

/** `outside` hears the same events. */
export function openTally(outside: TickEmitter | undefined): Tally {
  const events = tickEmitter()
  const forward = outside as { emit(kind: string, fact: unknown): boolean } | undefined
  const failing = new Map<string, FailingDay>()
  let isStuck = false
  const counts = {
    received: 0,
    stored: 0,
    duplicate: 0,
    spilled: 0,
    drained: 0,
    refused: 0,
    batches: 0,
    retries: 0,
    failures: 0,
    flushMs: 0,
    flushMsMax: 0,
  }
  const on = <K extends keyof TickEvents>(kind: K, count: (fact: Parameters<TickEvents[K]>[0]) => void) => {
    const listener = (fact: Parameters<TickEvents[K]>[0]) => {
      count(fact)
      forward?.emit(kind, fact)
    }
    events.on(kind, listener as never)
  }
  on('received', ({ count }) => {
    counts.received += count
  })
  on('flushed', ({ stored, duplicate, tookMs }) => {
    counts.stored += stored
    counts.duplicate += duplicate
    counts.batches++
    counts.flushMs += tookMs
    counts.flushMsMax = Math.max(counts.flushMsMax, tookMs)
    isStuck = false
  })
  on('spilled', ({ count }) => {
    counts.spilled += count
  })
  on('drained', ({ stored, duplicate }) => {
    counts.drained += stored + duplicate
  })
  on('refused', ({ count }) => {
    counts.refused += count
  })
  on('retried', () => {
    counts.retries++
  })
  on('failing', (fact) => {
    failing.set(fact.day, fact)
    counts.failures++
    isStuck ||= fact.code === 'DATABASE_BUSY' || fact.code === 'DATABASE_UNAVAILABLE'
  })
  on('recovered', ({ day }) => {
    failing.delete(day)
  })
  on('died', () => {
    counts.failures++
    // What waited for them died with it.
    failing.clear()
  })
  for (const kind of ['cut', 'kept', 'unspilled', 'disturbed'] as const) on(kind, () => {})

  return {
    events,
    counts: () => ({ ...counts }),
    failing: () => [...failing.values()],
    isFailing: (day) => failing.has(day),
    isStuck: () => isStuck && failing.size > 0,
  }
}
