// What a recording of order books was worth, without any server: the engine of the live detector over a file,
// with ages, gates and limits off because the figures are defined on every snapshot.
import { parseBoards } from '../catalog/index.ts'
import { type RecordingStep, readBooks } from '../venues/index.ts'
import { type Cause, type Episode, percentile } from './episodes.ts'
import { toBps } from './fees.ts'
import { NO_PLAUSIBILITY } from './plausibility.ts'
import { applyMessage, emptySpot, type SpotRules, type SpotSink, type Terms } from './spot.ts'

export interface BooksReplayOptions {
  /** Taker fee of both venues, per side. */
  readonly feeBps: number
  /** Levels of each side that the sweep may use. Default 200. */
  readonly levels?: number
  /** Called about every thousand snapshots. */
  readonly onProgress?: (snapshots: number) => void
}

export interface BooksReplay {
  readonly snapshots: number
  /** Snapshots after which two venues could be compared. */
  readonly bothKnown: number
  /** Snapshots after which some direction had an edge above zero. */
  readonly crossed: number
  /** Episodes that ended within the recording. */
  readonly episodes: number
  /** Null when two venues were never known together. */
  readonly maxEdgeBps: number | null
  /** From the first crossed snapshot to the first that is not; null without an episode. */
  readonly lifeP50Seconds: number | null
  readonly lifeP90Seconds: number | null
  /** Of the closed episodes, at their first moment: best level alone, then swept. Profit in quote units. */
  readonly topProfit: number
  readonly topQuantity: number
  readonly sweepProfit: number
  readonly sweepQuantity: number
}

interface Tally {
  snapshots: number
  bothKnown: number
  crossed: number
  maxEdge: number
  readonly closed: { readonly episode: Episode; readonly lifeMs: number }[]
}

/** Throws FILE_NOT_FOUND or RECORDING_INVALID. */
export async function replayBooks(path: string, options: BooksReplayOptions): Promise<BooksReplay> {
  const levels = options.levels ?? 200
  const state = emptySpot()
  const rules = everySnapshot(options.feeBps, levels)
  const tally: Tally = {
    snapshots: 0,
    bothKnown: 0,
    crossed: 0,
    maxEdge: Number.NEGATIVE_INFINITY,
    closed: [],
  }
  const sink = tallySink(tally)
  for await (const step of readBooks(path, { boardOf: parseBoards(''), levels })) {
    tally.snapshots += 1
    applyStep(step, tally.snapshots, (message, cause) => applyMessage(state, message, cause, rules, sink))
    if (tally.snapshots % 1_000 === 0) options.onProgress?.(tally.snapshots)
  }
  return figuresOf(tally)
}

type Apply = (message: RecordingStep['messages'][number], cause: Cause) => void

function applyStep(step: RecordingStep, position: number, apply: Apply): void {
  const id = String(position)
  const cause = { stream: 'recording', partition: 0, entry: id, eventId: id, time: step.time }
  for (const message of step.messages) {
    // The order of the file counts, also where a stamp goes back.
    apply({ ...message, quotes: message.quotes.map((quote) => ({ ...quote, time: step.time })) }, cause)
  }
}

function everySnapshot(feeBps: number, levels: number): SpotRules {
  const terms: Terms = { feeBps, simulated: false, lot: 0, minQuantity: 0, minNotional: 0 }
  return {
    ...NO_PLAUSIBILITY,
    minEdge: 0,
    maxLevels: levels,
    maxAgeMs: Number.POSITIVE_INFINITY,
    maxAheadMs: Number.POSITIVE_INFINITY,
    terms: () => terms,
  }
}

function tallySink(tally: Tally): SpotSink {
  return {
    opened: () => undefined,
    refused: () => undefined,
    closed: (_lane, episode, _reason, time) => {
      tally.closed.push({ episode, lifeMs: time - episode.openedAt })
    },
    judged: (_symbol, bestEdge) => {
      tally.bothKnown += 1
      if (bestEdge > 0) tally.crossed += 1
      if (bestEdge > tally.maxEdge) tally.maxEdge = bestEdge
    },
  }
}

function figuresOf({ snapshots, bothKnown, crossed, maxEdge, closed }: Tally): BooksReplay {
  const lives = closed.map(({ lifeMs }) => lifeMs / 1000)
  const total = (of: (episode: Episode) => number) =>
    closed.reduce((sum, { episode }) => sum + of(episode), 0)
  return {
    snapshots,
    bothKnown,
    crossed,
    episodes: closed.length,
    maxEdgeBps: Number.isFinite(maxEdge) ? toBps(maxEdge) : null,
    lifeP50Seconds: percentile(lives, 0.5),
    lifeP90Seconds: percentile(lives, 0.9),
    topProfit: total((e) => e.topProfit),
    topQuantity: total((e) => e.topQuantity),
    sweepProfit: total((e) => e.swept.profit),
    sweepQuantity: total((e) => e.swept.quantity),
  }
}
