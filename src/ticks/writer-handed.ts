// What the writing thread was handed and has not told of: who is to hear what became of it.
import { SluiceError } from '../kernel/index.ts'
import { type Part, partsOf, settleFailed, settleWritten } from './queue-adds.ts'
import type { Spilled } from './spill-line.ts'
import type { Written } from './tick.ts'
import type { TickEmitter } from './tick-events.ts'
import type { Outcome } from './writer-days.ts'
import { errorOf, type Refusal } from './writer-refusal.ts'

interface Handed {
  /** Of callers; none of what comes out of the spill files. */
  readonly parts: readonly Part[]
  readonly spilled: Spilled | undefined
  readonly waitedMs: number
  /** Rows of which nothing is known yet. */
  rows: number
  refusedBecause: string | undefined
}

export interface HandedBatches {
  /** Answers its number. */
  add(count: number, parts: readonly Part[], spilled: Spilled | undefined, waitedMs: number): number
  /** How many the thread has not come to. */
  untried(): number
  /** A thread has died while it had one of them. */
  isSuspect(): boolean
  tried(): void
  settle(id: number, outcome: Outcome, tookMs: number): void
  /** Tells all callers that nothing is known; answers how many ticks that were. */
  giveUp(error: SluiceError): number
}

export interface HandedOptions {
  readonly events: TickEmitter
  /** So many ticks are not held any more. */
  readonly release: (count: number) => void
}

const ATTEMPTS = 3

export function openHanded({ events, release }: HandedOptions): HandedBatches {
  const batches = new Map<number, Handed>()
  let next = 0
  let untried = 0

  const refuse = (parts: readonly Part[], count: number, error: SluiceError) => {
    settleFailed(parts, error)
    events.emit('refused', { count, code: error.code, reason: error.message })
  }
  const finish = (id: number, { spilled, refusedBecause }: Handed) => {
    batches.delete(id)
    if (refusedBecause === undefined) spilled?.done()
    else spilled?.keep(refusedBecause)
  }
  return {
    add(count, parts, spilled, waitedMs) {
      const id = next++
      untried++
      batches.set(id, { parts, spilled, waitedMs, rows: count, refusedBecause: undefined })
      return id
    },
    untried: () => untried,
    isSuspect: () => [...batches.values()].some(({ spilled }) => spilled && spilled.times > 1),
    tried() {
      untried--
    },
    settle(id, { rows, result }, tookMs) {
      const handed = batches.get(id)
      if (!handed) return
      const count = rows?.length ?? handed.rows
      const parts = rows ? partsOf(handed.parts, rows) : handed.parts
      handed.rows -= count
      const end = resultOf(result, count)
      if (end instanceof SluiceError) {
        if (handed.spilled) handed.refusedBecause = end.message
        else refuse(parts, count, end)
      } else {
        settleWritten(parts, end)
        const { stored, duplicate } = end
        events.emit('flushed', { stored, duplicate, waitedMs: handed.waitedMs, tookMs })
        if (handed.spilled) events.emit('drained', { stored, duplicate })
      }
      if (handed.rows === 0) finish(id, handed)
      release(count)
    },
    giveUp(error) {
      let given = 0
      for (const [id, { parts, spilled, rows }] of batches) {
        batches.delete(id)
        if (spilled) giveBack(spilled, error)
        else {
          refuse(parts, rows, error)
          given += rows
        }
        release(rows)
      }
      untried = 0
      return given
    },
  }
}

function resultOf(result: Written | Refusal, count: number): Written | SluiceError {
  if ('code' in result) return errorOf(result)
  const { stored, duplicate } = result
  if (stored + duplicate === count) return result
  const sentence = `Of ${count} ticks ${stored} were stored and ${duplicate} there already.`
  return new SluiceError('INTERNAL', sentence, { count, stored, duplicate })
}

/** What a thread died of again and again is not handed to the next one. */
function giveBack(spilled: Spilled, error: SluiceError): void {
  if (spilled.times < ATTEMPTS) spilled.again()
  else spilled.keep(error.message)
}
