// What every reader of a recording yields, and the check that what it yields is fit for `market.quotes`.
import type { BoardOf, Level, Quote, QuoteMessage } from '../../catalog/index.ts'
import { SluiceError } from '../../kernel/index.ts'

/** A quote that was recorded and is not fit to be published. */
export interface RejectedQuote {
  readonly venue: string
  readonly symbol: string
  /** Where it stands: file, and line or position from 1. */
  readonly where: string
  readonly reason: string
}

/** What happened at one moment of a recording. */
export interface RecordingStep {
  /** Whole ms UTC, never less than that of the step before. Quotes keep the digits below a ms. */
  readonly time: number
  /** One for each venue and board, applied together. Empty when everything was rejected. */
  readonly messages: readonly QuoteMessage[]
  readonly rejected: readonly RejectedQuote[]
}

export interface ReadOptions {
  readonly boardOf: BoardOf
  /** Levels of each side to keep. Default: all. */
  readonly levels?: number
  /** Size of each side of a recorded tick, base units: tick recordings carry none. Default 1,000,000. */
  readonly tickQuantity?: number
}

/**
 * Why a quote is not fit for `market.quotes`, or undefined. Says the same as the zod shape (a test compares), at
 * a cost that 14,467 books of up to 2,000 levels can bear.
 */
export function quoteProblem({
  bids,
  asks,
  time,
}: Pick<Quote, 'bids' | 'asks' | 'time'>): string | undefined {
  if (!(time > 0) || time === Number.POSITIVE_INFINITY) return 'time is not a moment'
  const side = sideProblem(bids, 'bid', -1) ?? sideProblem(asks, 'ask', 1)
  if (side !== undefined) return side
  const bid = bids[0]
  const ask = asks[0]
  return bid && ask && bid[0] > ask[0] ? 'crossed: best bid above best ask' : undefined
}

function sideProblem(levels: readonly Level[], name: string, direction: 1 | -1): string | undefined {
  let last: number | undefined
  for (const [price, quantity] of levels) {
    if (!(price > 0 && price < Number.POSITIVE_INFINITY)) return `${name} price is not positive`
    if (!(quantity > 0 && quantity < Number.POSITIVE_INFINITY)) return `${name} quantity is not positive`
    if (last !== undefined && !((price - last) * direction > 0)) return `${name}s are not best first`
    last = price
  }
  return undefined
}

export const invalidRecording = (where: string, reason: string, cause?: unknown) =>
  new SluiceError('RECORDING_INVALID', `${where}: ${reason}`, { where, reason }, cause)
