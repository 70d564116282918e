// Imports ticks: what a file says becomes ticks, the gate judges them, the store keeps them. What the gate remembers is
// saved with the offset, so an import that was killed judges the rest as if nothing had happened.
import type { Piece, Quarantined, Subject, Take, TakeContext } from '../imports/index.ts'
import type { Clock } from '../kernel/index.ts'
import { type Gate, type GateState, type Judged, openGate } from './gate.ts'
import { openOrdinals, type SavedOrdinals } from './import-ordinals.ts'
import { parsePiece } from './import-piece.ts'
import { isUnreadable, type ReadTick, readTick, type Unreadable } from './read-tick.ts'
import type { Tick, TickStore } from './tick.ts'

export interface TickImportOptions {
  /** Not needed in a dry run. */
  readonly store?: Pick<TickStore, 'write'> | undefined
  readonly clock: Clock
  /** 0: no jump is held back. Files are history: a jump in them is as likely a pause in the recording, %. */
  readonly jumpPct?: number
}

export interface TickImport {
  readonly take: Take
  readonly subjectOf: (piece: Piece, header: string | undefined) => Subject
}

interface ImportedTick extends Tick {
  /** Where it comes from, for quarantine. */
  readonly piece: Piece
}

/** What is saved with the offset. */
interface Saved {
  readonly gate: GateState<ImportedTick>
  readonly ordinals: SavedOrdinals
}

interface Memory {
  readonly gate: Gate<ImportedTick>
  readonly ordinals: ReturnType<typeof openOrdinals>
}

// 200 bytes each are saved with every batch.
const SERIES_MAX = 2_000

/** For `runImport`; one for each import, because it remembers the file that is under way. */
export function openTickImport({ store, clock, jumpPct = 0 }: TickImportOptions): TickImport {
  let memory: Memory | undefined
  const begin = (state: unknown): Memory => {
    const saved = state as Saved | undefined
    return {
      gate: openGate({ live: false, jumpPct, seriesMax: SERIES_MAX }, saved?.gate),
      ordinals: openOrdinals(SERIES_MAX, saved?.ordinals),
    }
  }
  return {
    async take(pieces, context) {
      if (context.isFirst || !memory) memory = begin(context.state)
      const { gate, ordinals } = memory
      const { ticks, quarantined } = readPieces(pieces, context, ordinals)
      const { accepted, refused } = join(gate.judge(ticks, clock.now()), context.isLast && gate.giveUp())
      for (const { tick, reason, detail } of refused) {
        const { piece, symbol, source, time } = tick
        quarantined.push({ piece, reason, detail, symbol, source, time })
      }
      const written =
        context.dryRun || !store || accepted.length === 0
          ? { stored: accepted.length, duplicate: 0 }
          : await store.write(accepted.map(withoutPiece))
      return { ...written, quarantined, state: { gate: gate.state(), ordinals: ordinals.state() } }
    },
    subjectOf(piece, header) {
      const { symbol, source, time } = readPiece(piece, header)
      return { symbol, source, time }
    },
  }
}

function readPieces(
  pieces: readonly Piece[],
  { header }: TakeContext,
  ordinals: Memory['ordinals'],
): { ticks: ImportedTick[]; quarantined: Quarantined[] } {
  const ticks: ImportedTick[] = []
  const quarantined: Quarantined[] = []
  for (const piece of pieces) {
    const found = readPiece(piece, header)
    if (isUnreadable(found)) quarantined.push({ piece, ...found })
    else ticks.push(imported(found, found.sequence ?? ordinals.next(found), piece))
  }
  return { ticks, quarantined }
}

function readPiece(piece: Piece, header: string | undefined): ReadTick | Unreadable {
  const parsed = parsePiece(piece.text, header)
  return 'reason' in parsed ? parsed : readTick(parsed.fields)
}

const imported = (tick: ReadTick, sequence: number, piece: Piece): ImportedTick => ({
  symbol: tick.symbol,
  source: tick.source,
  time: tick.time,
  nanos: tick.nanos,
  sequence,
  bid: tick.bid,
  ask: tick.ask,
  bidSize: tick.bidSize,
  askSize: tick.askSize,
  volume: tick.volume,
  flags: tick.flags,
  broker: tick.broker,
  piece,
})

// Field by field, as above: leaving one out by a pattern takes twice as long.
const withoutPiece = (tick: ImportedTick): Tick => ({
  symbol: tick.symbol,
  source: tick.source,
  time: tick.time,
  nanos: tick.nanos,
  sequence: tick.sequence,
  bid: tick.bid,
  ask: tick.ask,
  bidSize: tick.bidSize,
  askSize: tick.askSize,
  volume: tick.volume,
  flags: tick.flags,
  broker: tick.broker,
})

function join<T>(first: Judged<T>, second: Judged<T> | false): Judged<T> {
  if (!second) return first
  return {
    accepted: [...first.accepted, ...second.accepted],
    refused: [...first.refused, ...second.refused],
  }
}
