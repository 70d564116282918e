// What the writing thread does with a batch: its ticks go into the files of their days, and a day whose file does not
// take them waits and tries again while the others go on.
import { randomInt } from 'node:crypto'
import { type Clock, isSluiceError, messageOf, SluiceError } from '../kernel/index.ts'
import type { TickBatch } from './batch.ts'
import { COLUMN_NAMES, columnsFor } from './queue-columns.ts'
import { tickFileError } from './sqlite-failures.ts'
import type { Written } from './tick.ts'
import { type Refusal, refusalOf } from './writer-refusal.ts'

const RETRY_MS = 20
const RETRY_MS_MAX = 1_000
/** Somebody who writes is soon done; a disk is not soon repaired. */
const BUSY_RETRY_MS_MAX = 250
/** A locked file is everyday for as long; then it is told. */
const BUSY_TOLD_AFTER_MS = 1_000

/** What became of the rows of one day; of all rows of the batch where they are not named. */
export interface Outcome {
  readonly rows: Uint32Array | undefined
  readonly result: Written | Refusal
}

export type DayNews =
  | { readonly kind: 'outcome'; readonly id: number; readonly outcome: Outcome; readonly tookMs: number }
  | { readonly kind: 'retried'; readonly day: number; readonly reason: string; readonly inMs: number }
  | { readonly kind: 'failing'; readonly day: number; readonly code: string; readonly reason: string }
  | { readonly kind: 'recovered'; readonly day: number; readonly forMs: number }

interface Piece {
  readonly id: number
  readonly day: number
  readonly rows: Uint32Array | undefined
  readonly batch: TickBatch
}

export interface DaysOptions {
  readonly write: (batch: TickBatch) => Written
  readonly clock: Clock
  readonly tell: (news: DayNews) => void
}

export interface Days {
  /** Tries each day once; returns when it has. Every row is told of once, now or later. */
  take(id: number, batch: TickBatch): void
  /** Tries no more; what waits is forgotten. */
  close(): void
}

export function openDays({ write, clock, tell }: DaysOptions): Days {
  const waiting = new Map<number, Piece[]>()
  const stop = new AbortController()

  /** The reason why the day has to wait. `first` is called before anything is told of a piece that has not. */
  const attempt = ({ id, rows, batch }: Piece, first = () => {}): SluiceError | undefined => {
    const begunAt = clock.monotonic()
    const done = (result: Written | Refusal) => {
      first()
      tell({ kind: 'outcome', id, outcome: { rows, result }, tookMs: clock.monotonic() - begunAt })
    }
    try {
      done(write(batch))
    } catch (thrown) {
      const error = sluiceErrorOf(thrown)
      if (error.code === 'DATABASE_BUSY' || error.code === 'DATABASE_UNAVAILABLE') return error
      done(refusalOf(error))
    }
    return undefined
  }
  /** Until nothing of the day waits any more. */
  const retry = async (day: number, pieces: Piece[], first: SluiceError) => {
    const since = clock.monotonic()
    let error: SluiceError | undefined = first
    let told: string | undefined
    const recovered = () => {
      if (told) tell({ kind: 'recovered', day, forMs: clock.monotonic() - since })
    }
    for (let attempts = 0; error && !stop.signal.aborted; attempts++) {
      const isBusy = error.code === 'DATABASE_BUSY'
      const isTold = !isBusy || clock.monotonic() - since > BUSY_TOLD_AFTER_MS
      if (isTold && told !== error.code) {
        told = error.code
        tell({ kind: 'failing', day, code: error.code, reason: error.message })
      }
      const inMs = pauseMs(attempts, isBusy ? BUSY_RETRY_MS_MAX : RETRY_MS_MAX)
      tell({ kind: 'retried', day, reason: error.message, inMs })
      await clock.sleep(inMs, stop.signal)
      if (stop.signal.aborted) return
      error = attempt(pieces[0]!, recovered)
      if (!error) pieces.shift()
    }
    // What comes in the meantime goes behind these.
    while (pieces.length > 0 && !stop.signal.aborted) {
      const again = attempt(pieces[0]!)
      if (again) return retry(day, pieces, again)
      pieces.shift()
      await clock.sleep(0)
    }
    waiting.delete(day)
  }

  return {
    take(id, batch) {
      for (const piece of piecesOf(id, batch)) {
        const before = waiting.get(piece.day)
        if (before) {
          before.push(piece)
          continue
        }
        const error = attempt(piece)
        if (!error) continue
        const pieces = [piece]
        waiting.set(piece.day, pieces)
        void retry(piece.day, pieces, error)
      }
    },
    close: () => stop.abort(),
  }
}

/** Doubles up to `most`, with a quarter of chance, so that several writers do not come back together. */
function pauseMs(attempts: number, most: number): number {
  const pause = Math.min(most, RETRY_MS * 2 ** Math.min(attempts, 10))
  return Math.round((pause * randomInt(750, 1_250)) / 1_000)
}

function sluiceErrorOf(thrown: unknown): SluiceError {
  // Not only SQLite meets a full disk: folders are made as well.
  const known = tickFileError(
    thrown,
    String((thrown as { path?: unknown } | null)?.path ?? 'The folder of ticks'),
  )
  if (isSluiceError(known)) return known
  return new SluiceError('INTERNAL', `Ticks could not be written: ${messageOf(thrown)}.`, {}, thrown)
}

/** One for each day; nearly always that is the batch itself. */
function piecesOf(id: number, batch: TickBatch): Piece[] {
  const first = batch.day[0]!
  if (batch.day.every((day) => day === first)) return [{ id, day: first, rows: undefined, batch }]
  const rowsOf = new Map<number, number[]>()
  batch.day.forEach((day, row) => {
    const rows = rowsOf.get(day)
    if (rows) rows.push(row)
    else rowsOf.set(day, [row])
  })
  return [...rowsOf].map(([day, list]) => {
    const rows = Uint32Array.from(list)
    return { id, day, rows, batch: rowsAlone(batch, rows) }
  })
}

function rowsAlone(batch: TickBatch, rows: Uint32Array): TickBatch {
  const columns = columnsFor(rows.length)
  for (const name of COLUMN_NAMES) {
    const [from, to] = [batch[name], columns[name]]
    for (let n = 0; n < rows.length; n++) to[n] = from[rows[n]!]!
  }
  return { count: rows.length, series: batch.series, ...columns }
}
