// Ticks of many blocks in their order, without more of them in memory than lie beside each other: a run is a stretch of
// one block before which nothing else comes. Blocks of a series seldom overlap, so most runs are whole blocks.
import { damaged } from './block-damage.ts'
import { lowerBound, sameContent, type TickColumns } from './columns.ts'
import type { BlockPlace } from './day-file.ts'

/** One series in one file, and which of its ticks are asked for. */
export interface Strand {
  /** The place of its source among those that are read together; a series in two files has one. */
  readonly rank: number
  readonly places: readonly BlockPlace[]
  load(place: BlockPlace): TickColumns
  /** From this key on, ns of the day. */
  readonly fromTime: number
  readonly fromSequence: number
  /** ns of the day, exclusive. */
  readonly toTime: number
}

export interface Run {
  readonly rank: number
  readonly columns: TickColumns
  readonly from: number
  /** Exclusive. */
  readonly to: number
}

interface Waiting {
  readonly strand: Strand
  readonly place: BlockPlace
}

/** A block that is being read. */
interface Piece {
  readonly rank: number
  readonly columns: TickColumns
  at: number
  readonly end: number
}

const compare = (a: Piece, b: Piece): number =>
  a.columns.time[a.at]! - b.columns.time[b.at]! ||
  a.rank - b.rank ||
  a.columns.sequence[a.at]! - b.columns.sequence[b.at]!

/** By (time, rank, sequence). A tick that two files hold comes once; TICKS_DAMAGED when they disagree about it. */
export function* mergeRuns(strands: readonly Strand[]): Generator<Run> {
  const waiting = strands
    .flatMap((strand) => strand.places.map((place): Waiting => ({ strand, place })))
    .sort((a, b) => a.place.first - b.place.first)
  const pieces: Piece[] = []
  let next = 0
  for (;;) {
    while (
      next < waiting.length &&
      (pieces.length === 0 || waiting[next]!.place.first <= timeOf(first(pieces)))
    ) {
      const piece = open(waiting[next++]!)
      if (piece.at < piece.end) pieces.push(piece)
    }
    if (pieces.length === 0) return
    const piece = first(pieces)
    if (dropTwins(pieces, piece)) continue
    const from = piece.at
    piece.at = endOfRun(pieces, piece, waiting[next]?.place.first ?? Number.POSITIVE_INFINITY)
    yield { rank: piece.rank, columns: piece.columns, from, to: piece.at }
    if (piece.at === piece.end) pieces.splice(pieces.indexOf(piece), 1)
  }
}

const timeOf = ({ columns, at }: Piece): number => columns.time[at]!

function open({ strand, place }: Waiting): Piece {
  const columns = strand.load(place)
  const at = lowerBound(columns, strand.fromTime, strand.fromSequence)
  return { rank: strand.rank, columns, at, end: lowerBound(columns, strand.toTime, 0, at) }
}

function first(pieces: readonly Piece[]): Piece {
  let least = pieces[0]!
  for (let i = 1; i < pieces.length; i++) if (compare(pieces[i]!, least) < 0) least = pieces[i]!
  return least
}

/** Steps over the same tick in other blocks; true when one of them came to its end by it. */
function dropTwins(pieces: Piece[], piece: Piece): boolean {
  for (const other of pieces) {
    if (other === piece || compare(other, piece) !== 0) continue
    if (!sameContent(piece.columns, piece.at, other.columns, other.at)) {
      const [time, sequence] = [timeOf(piece), piece.columns.sequence[piece.at]!]
      throw damaged(`Two different ticks are kept under time ${time} ns of the day, sequence ${sequence}.`)
    }
    other.at++
    if (other.at < other.end) continue
    pieces.splice(pieces.indexOf(other), 1)
    return true
  }
  return false
}

/** Up to where nothing of another block comes in between. */
function endOfRun(pieces: readonly Piece[], piece: Piece, waitingTime: number): number {
  const { columns, end, rank } = piece
  let to =
    columns.time[end - 1]! < waitingTime ? end : Math.min(end, lowerBound(columns, waitingTime, 0, piece.at))
  for (const other of pieces) {
    if (other === piece) continue
    const time = timeOf(other)
    if (columns.time[to - 1]! < time) continue
    const sequence =
      other.rank === rank
        ? other.columns.sequence[other.at]!
        : other.rank < rank
          ? 0
          : Number.POSITIVE_INFINITY
    to = Math.min(to, lowerBound(columns, time, sequence, piece.at))
  }
  return to
}
