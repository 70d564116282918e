// What the writing thread does with a batch: its ticks go into the files of their days. A day whose file does not take
// them waits and tries again while the others go on; what may take a person to mend gives its ticks back meanwhile, so
// that they are kept elsewhere and nobody waits for them.
import { randomInt } from 'node:crypto'
import { type Clock, isSluiceError, messageOf, SluiceError } from '../kernel/index.ts'
import type { TickBatch } from './batch.ts'
import { COLUMN_NAMES, columnsFor } from './queue-columns.ts'
import { tickFileError } from './sqlite-failures.ts'
import type { Written } from './tick.ts'

const RETRY_MS = 20
const RETRY_MS_MAX = 1_000
/** Somebody who writes is soon done; a disk is not soon repaired. */
const BUSY_RETRY_MS_MAX = 250
/** A locked file is everyday for as long; then it is told. */
const BUSY_TOLD_AFTER_MS = 1_000

/** What became of the rows of one day; of all rows of the batch where they are not named. */
export interface Outcome {
  readonly rows: Uint32Array | undefined
  readonly result: Written
}

export type DayNews =
  | { readonly kind: 'outcome'; readonly id: number; readonly outcome: Outcome; readonly tookMs: number }
  /** Not written: the day is failing, or `refusal` says why it does not take these. */
  | {
      readonly kind: 'back'
      readonly id: number
      readonly day: number
      readonly rows: Uint32Array | undefined
      readonly batch: TickBatch
      readonly refusal: string | undefined
    }
  | { readonly kind: 'retried'; readonly day: number; readonly reason: string; readonly inMs: number }
  | { readonly kind: 'failing'; readonly day: number; readonly code: string; readonly reason: string }
  | { readonly kind: 'recovered'; readonly day: number; readonly forMs: number }

interface Piece {
  readonly id: number
  readonly day: number
  readonly rows: Uint32Array | undefined
  readonly batch: TickBatch
}

/** Ticks of a day whose file does not take them. */
interface Waiting {
  /**
   * In the order in which they came; where they were given back, the one that is tried. Nobody hears of that: when it
   * comes again it is a duplicate.
   */
  pieces: Piece[]
  isBack: boolean
}

export interface DaysOptions {
  readonly write: (batch: TickBatch) => Written
  readonly clock: Clock
  readonly tell: (news: DayNews) => void
  /** What waits for a lock or a disk is given back as well. */
  readonly givesBackAll: boolean
}

export interface Days {
  /** Tries each day once; returns when it has. Every row is told of once, now or later. */
  take(id: number, batch: TickBatch): void
  /** Tries no more; what waits is forgotten. */
  close(): void
}

/** The day waits for them; anything else is a matter of the ticks. */
const OF_THE_DAY = new Set(['DATABASE_BUSY', 'DATABASE_UNAVAILABLE', 'DATABASE_INVALID', 'TICKS_DAMAGED'])
/** Goes by without anybody: a lock, a disk that returns. */
const PASSING = new Set(['DATABASE_BUSY', 'DATABASE_UNAVAILABLE'])

export function openDays({ write, clock, tell, givesBackAll }: DaysOptions): Days {
  const waiting = new Map<number, Waiting>()
  const stop = new AbortController()

  const { attempt, giveBack } = attempting({ write, clock, tell })

  /** Until the day takes its ticks again. */
  const untilTaken = async (day: number, line: Waiting, first: SluiceError) => {
    const since = clock.monotonic()
    let error: SluiceError | undefined = first
    let told: string | undefined
    const recovered = () => {
      if (told) tell({ kind: 'recovered', day, forMs: clock.monotonic() - since })
    }
    const tellFailing = ({ code, message: reason }: SluiceError) => {
      if (told !== code) tell({ kind: 'failing', day, code, reason })
      told = code
      if (line.isBack || (!givesBackAll && PASSING.has(code))) return
      line.isBack = true
      for (const piece of line.pieces) giveBack(piece)
      line.pieces.length = 1
    }
    for (let attempts = 0; error && !stop.signal.aborted; attempts++) {
      const { code, message: reason } = error
      const isBusy = code === 'DATABASE_BUSY'
      if (!isBusy || clock.monotonic() - since > BUSY_TOLD_AFTER_MS) tellFailing(error)
      const inMs = pauseMs(attempts, isBusy ? BUSY_RETRY_MS_MAX : RETRY_MS_MAX)
      tell({ kind: 'retried', day, reason, inMs })
      await clock.sleep(inMs, stop.signal)
      if (!stop.signal.aborted) error = attempt(line.pieces[0]!, recovered, line.isBack)
    }
    line.pieces.shift()
  }
  const retry = async (day: number, line: Waiting, first: SluiceError): Promise<void> => {
    waiting.set(day, line)
    await untilTaken(day, line, first)
    // What came in the meantime goes behind these.
    while (line.pieces.length > 0 && !stop.signal.aborted) {
      const again = attempt(line.pieces[0]!)
      if (again) return retry(day, line, again)
      line.pieces.shift()
      await clock.sleep(0)
    }
    waiting.delete(day)
  }

  return {
    take(id, batch) {
      for (const piece of piecesOf(id, batch)) {
        const line = waiting.get(piece.day)
        if (line?.isBack) giveBack(piece)
        else if (line) line.pieces.push(piece)
        else {
          const error = attempt(piece)
          if (error) void retry(piece.day, { pieces: [piece], isBack: false }, error)
        }
      }
    },
    close: () => stop.abort(),
  }
}

function attempting({ write, clock, tell }: Pick<DaysOptions, 'write' | 'clock' | 'tell'>) {
  const giveBack = ({ id, day, rows, batch }: Piece, refusal?: string) =>
    tell({ kind: 'back', id, day, rows, batch, refusal })
  /** The reason why the day has to wait. */
  const attempt = (piece: Piece, onTaken = () => {}, isBack = false): SluiceError | undefined => {
    const { id, rows, batch } = piece
    const begunAt = clock.monotonic()
    try {
      const result = write(batch)
      onTaken()
      if (isBack) return undefined
      tell({ kind: 'outcome', id, outcome: { rows, result }, tookMs: clock.monotonic() - begunAt })
    } catch (thrown) {
      const error = sluiceErrorOf(thrown)
      if (OF_THE_DAY.has(error.code)) return error
      onTaken()
      if (!isBack) giveBack(piece, error.message)
    }
    return undefined
  }
  return { attempt, giveBack }
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
