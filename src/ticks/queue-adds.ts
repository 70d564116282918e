// Who waits for which ticks of a batch: a batch holds ticks of several calls, and a long list of one call lies in
// several batches.
import type { SluiceError } from '../kernel/index.ts'
import type { Tick, Written } from './tick.ts'

/** What became of the ticks of one call; the three add up to their number. */
export interface Accepted extends Written {
  /** Durable in the spill file; in the store later, where some may turn out to be duplicates. */
  readonly spilled: number
}

/** One call of `add`. */
export interface Adding {
  /** How many ticks are in no batch yet. */
  waiting(): number
  /** Hands out the next so many. */
  take(count: number, use: (tick: Tick) => void): void
  settle(kind: keyof Accepted, count: number): void
  /** Only the first failure is told. */
  fail(error: SluiceError): void
  hasFailed(): boolean
  readonly accepted: Promise<Accepted>
}

/** So many of the next rows of a batch belong to it. */
export interface Part {
  readonly adding: Adding
  readonly count: number
}

export function openAdding(ticks: readonly Tick[]): Adding {
  const { promise: accepted, resolve, reject } = Promise.withResolvers<Accepted>()
  const tally = { stored: 0, duplicate: 0, spilled: 0 }
  let left = ticks.length
  let failed = false
  // Let go when all are in batches: until they are durable they would only be in the way of the garbage collector.
  let list = ticks
  let next = 0
  if (left === 0) resolve(tally)
  return {
    waiting: () => list.length - next,
    take(count, use) {
      for (const end = next + count; next < end; next++) use(list[next]!)
      if (next < list.length) return
      list = []
      next = 0
    },
    settle(kind, count) {
      tally[kind] += count
      left -= count
      if (left === 0) resolve(tally)
    },
    fail(error) {
      failed = true
      reject(error)
    },
    hasFailed: () => failed,
    accepted,
  }
}

/** The parts of those rows alone, which are in ascending order. */
export function partsOf(parts: readonly Part[], rows: Uint32Array): Part[] {
  const found: Part[] = []
  let row = 0
  let end = 0
  for (const { adding, count: all } of parts) {
    end += all
    const from = row
    while (row < rows.length && rows[row]! < end) row++
    if (row > from) found.push({ adding, count: row - from })
  }
  return found
}

/** Tells the callers that their rows are in the store. */
export function settleWritten(parts: readonly Part[], { duplicate }: Written): void {
  let duplicates = duplicate
  for (const { adding, count } of parts) {
    // Exact for one call a batch; with several only the sum is known, and the first are taken to be the repeated ones.
    const repeated = Math.min(count, duplicates)
    duplicates -= repeated
    if (repeated > 0) adding.settle('duplicate', repeated)
    if (count > repeated) adding.settle('stored', count - repeated)
  }
}

export function settleSpilled(parts: readonly Part[]): void {
  for (const { adding, count } of parts) adding.settle('spilled', count)
}

export function settleFailed(parts: readonly Part[], error: SluiceError): void {
  for (const { adding } of parts) adding.fail(error)
}
