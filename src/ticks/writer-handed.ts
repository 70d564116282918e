// What the writing thread was handed and has not told of: who is to hear what became of it.
import type { SluiceError } from '../kernel/index.ts'
import { type Part, partsOf, settleFailed, settleWritten } from './queue-adds.ts'
import type { Spilled } from './spill-line.ts'
import type { TickEmitter } from './tick-events.ts'
import type { Outcome } from './writer-days.ts'
import { errorOf } from './writer-refusal.ts'

interface Handed {
  /** Of callers; none of what comes out of the spill files. */
  readonly parts: readonly Part[]
  readonly spilled: Spilled | undefined
  readonly waitedMs: number
  /** Rows of which nothing is known yet. */
  rows: number
  isTried: boolean
  refusedBecause: string | undefined
}

export interface HandedBatches {
  /** Answers its number. */
  add(count: number, parts: readonly Part[], spilled: Spilled | undefined, waitedMs: number): number
  /** How many the thread has not come to. */
  untried(): number
  tried(id: number): void
  settle(id: number, outcome: Outcome, tookMs: number): void
  /** Tells all callers that nothing is known; answers how many ticks that were. */
  giveUp(error: SluiceError): number
}

export interface HandedOptions {
  readonly events: TickEmitter
  /** So many ticks are not held any more. */
  readonly release: (count: number) => void
}

export function openHanded({ events, release }: HandedOptions): HandedBatches {
  const batches = new Map<number, Handed>()
  let next = 0
  let untried = 0

  const refuse = (parts: readonly Part[], count: number, error: SluiceError) => {
    settleFailed(parts, error)
    events.emit('refused', { count, code: error.code, reason: error.message })
  }
  const end = (id: number, { spilled, refusedBecause }: Handed) => {
    batches.delete(id)
    if (refusedBecause === undefined) spilled?.done()
    else spilled?.keep(refusedBecause)
  }
  return {
    add(count, parts, spilled, waitedMs) {
      const id = next++
      untried++
      batches.set(id, { parts, spilled, waitedMs, rows: count, isTried: false, refusedBecause: undefined })
      return id
    },
    untried: () => untried,
    tried(id) {
      untried--
      const handed = batches.get(id)
      if (handed) handed.isTried = true
    },
    settle(id, { rows, result }, tookMs) {
      const handed = batches.get(id)
      if (!handed) return
      const count = rows?.length ?? handed.rows
      const parts = rows ? partsOf(handed.parts, rows) : handed.parts
      handed.rows -= count
      if ('code' in result) {
        if (handed.spilled) handed.refusedBecause = result.message
        else refuse(parts, count, errorOf(result))
      } else {
        settleWritten(parts, result)
        const { stored, duplicate } = result
        events.emit('flushed', { stored, duplicate, waitedMs: handed.waitedMs, tookMs })
        if (handed.spilled) events.emit('drained', { stored, duplicate })
      }
      if (handed.rows === 0) end(id, handed)
      release(count)
    },
    giveUp(error) {
      let given = 0
      for (const [id, { parts, spilled, rows }] of batches) {
        batches.delete(id)
        given += rows
        if (spilled) spilled.again()
        else refuse(parts, rows, error)
        release(rows)
      }
      untried = 0
      return given
    },
  }
}
