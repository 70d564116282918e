// What the writing thread was handed and has not told of: who is to hear what became of it.
import { SluiceError } from '../kernel/index.ts'
import { type Part, partsOf as partsOfRows, settleFailed, settleWritten } from './queue-adds.ts'
import type { Spilled } from './spill-line.ts'
import type { Written } from './tick.ts'
import type { TickEmitter } from './tick-events.ts'
import type { DayNews, Outcome } from './writer-days.ts'
import type { Aside } from './writer-overflow.ts'
import { dayText } from './writer-tally.ts'

interface Handed {
  /** Of callers; none of what comes out of the spill files. */
  readonly parts: readonly Part[]
  readonly spilled: Spilled | undefined
  /** Rows of which nothing is known yet. */
  rows: number
  refusedBecause: string | undefined
  /** YYYY-MM-DD: the last of its days that is failing. */
  waitsFor: string | undefined
}

export interface HandedBatches {
  /** Answers its number. */
  add(count: number, parts: readonly Part[], spilled: Spilled | undefined): number
  /** How many the thread has not come to. */
  untried(): number
  /** A thread has died while it had one of them. */
  isSuspect(): boolean
  tried(): void
  settle(id: number, outcome: Outcome, tookMs: number): void
  /** The thread does not keep them: what is of callers is set aside, what was spilled stays so. */
  back(news: DayNews & { readonly kind: 'back' }): void
  /** Tells all callers that nothing is known; answers how many ticks that were. */
  giveUp(error: SluiceError): number
}

export interface HandedOptions {
  readonly events: TickEmitter
  /** So many ticks are not held any more. */
  readonly release: (count: number) => void
  readonly setAside: (aside: Aside) => void
}

const ATTEMPTS = 3

export function openHanded({ events, release, setAside }: HandedOptions): HandedBatches {
  const batches = new Map<number, Handed>()
  let next = 0
  let untried = 0

  const refuse = (parts: readonly Part[], count: number, error: SluiceError) => {
    settleFailed(parts, error)
    events.emit('refused', { count, code: error.code, reason: error.message })
  }
  /** So many rows more are known of; at the last of them it is known what becomes of what was spilled. */
  const account = (id: number, handed: Handed, count: number) => {
    handed.rows -= count
    if (handed.rows > 0) return
    batches.delete(id)
    const { spilled, refusedBecause, waitsFor } = handed
    if (refusedBecause !== undefined) spilled?.keep(refusedBecause)
    else if (waitsFor !== undefined) spilled?.later(waitsFor)
    else spilled?.done()
  }
  return {
    add(count, parts, spilled) {
      const id = next++
      untried++
      batches.set(id, { parts, spilled, rows: count, refusedBecause: undefined, waitsFor: undefined })
      return id
    },
    untried: () => untried,
    isSuspect: () => [...batches.values()].some(({ spilled }) => spilled && spilled.times > 1),
    tried: () => void untried--,
    settle(id, { rows, result }, tookMs) {
      const handed = batches.get(id)
      if (!handed) return
      const count = rows?.length ?? handed.rows
      const parts = partsOf(handed, rows)
      const fault = faultOf(result, count)
      if (fault) {
        if (handed.spilled) handed.refusedBecause = fault.message
        else refuse(parts, count, fault)
      } else {
        settleWritten(parts, result)
        const { stored, duplicate } = result
        events.emit('flushed', { stored, duplicate, tookMs })
        if (handed.spilled) events.emit('drained', { stored, duplicate })
      }
      account(id, handed, count)
      release(count)
    },
    back({ id, day, rows, batch, refusal }) {
      const handed = batches.get(id)
      if (!handed) return
      if (handed.spilled) {
        handed.refusedBecause ??= refusal
        handed.waitsFor = dayText(day)
        release(batch.count)
      } else
        setAside({ batch, parts: partsOf(handed, rows), day: dayText(day), isRefused: refusal !== undefined })
      account(id, handed, batch.count)
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

const partsOf = ({ parts }: Handed, rows: Uint32Array | undefined) =>
  rows ? partsOfRows(parts, rows) : parts

function faultOf({ stored, duplicate }: Written, count: number): SluiceError | undefined {
  if (stored + duplicate === count) return undefined
  const sentence = `Of ${count} ticks ${stored} were stored and ${duplicate} there already.`
  return new SluiceError('INTERNAL', sentence, { count, stored, duplicate })
}

/** What a thread died of again and again is not handed to the next one. */
function giveBack(spilled: Spilled, error: SluiceError): void {
  if (spilled.times < ATTEMPTS) spilled.again()
  else spilled.keep(error.message)
}
