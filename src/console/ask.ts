// One place through which every question of the console goes: asked once for all who ask within half a second,
// and given up after a deadline, so that neither a crowd of pages nor a frozen server holds up an answer.
import { marketQuotes, opportunities } from '../catalog/index.ts'
import { type Clock, SluiceError } from '../kernel/index.ts'
import type { ArbitrageTotals, Questions, Status, StreamSummary } from './answers.ts'
import { openMeter } from './meter.ts'
import { summaryOf, tenths, worstOf } from './summary.ts'

const SHARED_MS = 500
export const ANSWER_WITHIN_MS = 5_000

export interface Asked {
  readonly streams: Questions['streams']
  readonly workers: Questions['workers']
  readonly status: () => Promise<Status>
  readonly summaries: () => Promise<readonly StreamSummary[]>
  /** Reads the meter, so that the next one who asks finds a rate of the last seconds. Never rejects. */
  readonly sample: () => Promise<void>
}

export function openAsked(questions: Questions, clock: Clock, deadlineMs = ANSWER_WITHIN_MS): Asked {
  const meter = openMeter()
  const startedAt = clock.monotonic()
  const once = <T>(what: string, ask: () => Promise<T>) =>
    shared(clock, SHARED_MS, () => within(clock, deadlineMs, what, ask))
  const metered = once('The streams', async () => {
    const streams = await questions.streams()
    return { streams, rates: meter.read(streams, clock.monotonic()) }
  })
  const streams = async () => (await metered()).streams
  const workers = once('The workers', questions.workers)
  const arbitrage = once<ArbitrageTotals>('The database', questions.arbitrageTotals)
  const ledger = once('The ledger', questions.ledgerTotals)
  return {
    streams,
    workers,
    sample: () => metered().then(ignored, ignored),
    async summaries() {
      const { streams, rates } = await metered()
      return streams.map((stream) => summaryOf(stream, rates.get(stream.stream) ?? 0))
    },
    async status() {
      const [read, seen, booked, running] = await Promise.all([metered(), arbitrage(), ledger(), workers()])
      return {
        ...questions.about,
        ...seen,
        ...booked,
        ...worstOf(read.streams),
        time: clock.now(),
        uptimeMs: Math.round(clock.monotonic() - startedAt),
        quotesPerSecond: tenths(read.rates.get(marketQuotes.name) ?? 0),
        opportunitiesPerSecond: tenths(read.rates.get(opportunities.name) ?? 0),
        workers: running.length,
      }
    },
  }
}

// Whoever asks next asks again, and is told what is wrong.
const ignored = () => undefined

/** The last answer for `keepMs`, or the one that is under way. A failure is not kept. */
export function shared<T>(clock: Clock, keepMs: number, ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  let goodUntil = 0
  return () => {
    if (answer && clock.monotonic() < goodUntil) return answer
    const asked = ask()
    answer = asked
    // While it is under way everyone waits for this one.
    goodUntil = Number.POSITIVE_INFINITY
    asked.then(
      () => {
        goodUntil = clock.monotonic() + keepMs
      },
      () => {
        answer = undefined
      },
    )
    return asked
  }
}

/** Rejects with ANSWER_LATE when there is no answer after `deadlineMs`. */
export async function within<T>(
  clock: Clock,
  deadlineMs: number,
  what: string,
  ask: () => Promise<T>,
): Promise<T> {
  const answered = new AbortController()
  const late = clock.sleep(deadlineMs, answered.signal).then((): never => {
    if (answered.signal.aborted) return undefined as never
    throw new SluiceError('ANSWER_LATE', `${what} did not answer within ${deadlineMs} ms.`, {
      what,
      deadlineMs,
    })
  })
  try {
    return await Promise.race([ask(), late])
  } finally {
    answered.abort()
  }
}
