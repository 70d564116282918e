// Spot arbitrage: after every message, every pair of venues of a symbol in both directions, best bid against best
// ask after both fees. A pure function of its state and the message; it reads no clock and allocates only when an
// episode opens. Of n venues one update looks at 2 × (n − 1) directions.
import type { Quote, QuoteMessage } from '../catalog/index.ts'
import { type Cause, type EndReason, type Episode, openEpisode, seeEpisode } from './episodes.ts'
import { edgeOf } from './fees.ts'
import { deviation, jumps, type PlausibilityRules } from './plausibility.ts'
import {
  type Board,
  boardOfState,
  type Lane,
  midOrSideOf,
  type Pair,
  type Place,
  placeOf,
  quietestBut,
} from './spot-state.ts'
import { type Sweep, sweep } from './sweep.ts'

/** What one venue asks for one symbol. Amounts are float64: what is sent is computed again in decimals. */
export interface Terms {
  readonly feeBps: number
  readonly simulated: boolean
  readonly lot: number
  readonly minQuantity: number
  readonly minNotional: number
}

/** Why a quote was not used; a stable word that is counted. */
export type Refusal =
  | 'unknown_venue'
  | 'unknown_symbol'
  | 'mislabelled'
  | 'too_old'
  | 'future'
  | 'superseded'
  | 'jump'
  | 'deviation'
  /** What was known of it gave way to another board: see `BOARDS_MAX`. */
  | 'forgotten'

export interface SpotRules extends PlausibilityRules {
  /** An opportunity has an edge above this fraction. */
  readonly minEdge: number
  readonly maxLevels: number
  /** entry time − quote time. */
  readonly maxAgeMs: number
  /** quote time − entry time. */
  readonly maxAheadMs: number
  /** The refusal when the venue or the symbol is not known. Asked once for each place, then remembered. */
  readonly terms: (venue: string, symbol: string) => Terms | 'unknown_venue' | 'unknown_symbol'
}

/** What the engine has to say while it applies a message. */
export interface SpotSink {
  opened(lane: Lane, episode: Episode): void
  closed(lane: Lane, episode: Episode, reason: EndReason, time: number): void
  refused(reason: Refusal, venue: string, symbol: string): void
  /** After an update with at least one pair that could be compared: its best edge, a fraction, traded or not. */
  judged?(symbol: string, bestEdge: number): void
}

export interface SpotState {
  readonly boards: Map<string, Board>
}

export const emptySpot = (): SpotState => ({ boards: new Map() })

// Of one partition. A venue with a default instrument trades whatever symbol an outside feed names, and all of this
// is kept, saved and loaded; real boards are some dozens, and the one that is silent for longest gives way.
const BOARDS_MAX = 1_000

/** Applies all quotes of the message, then evaluates; last what grew stale on the same board is closed. */
export function applyMessage(
  state: SpotState,
  message: QuoteMessage,
  cause: Cause,
  rules: SpotRules,
  sink: SpotSink,
): void {
  const { quotes } = message
  const board = boardOfState(state.boards, message.board)
  if (cause.time > board.heardAt) board.heardAt = cause.time
  if (state.boards.size > BOARDS_MAX) forgetQuietest(state, board, cause, sink)
  if (quotes.length === 1) {
    const place = takeQuote(board, message, quotes[0]!, cause, rules, sink)
    if (place) evaluate(board, place, cause, rules, sink)
  } else if (quotes.length > 1) {
    const places = new Set<Place>()
    for (const quote of quotes) {
      const place = takeQuote(board, message, quote, cause, rules, sink)
      if (place) places.add(place)
    }
    for (const place of places) evaluate(board, place, cause, rules, sink)
  }
  closeStale(board, cause, rules, sink)
}

/** The place whose quote changed; undefined when nothing did. */
function takeQuote(
  board: Board,
  message: QuoteMessage,
  quote: Quote,
  cause: Cause,
  rules: SpotRules,
  sink: SpotSink,
): Place | undefined {
  const place = placeOf(board, message.venue, quote.symbol, rules.terms)
  if (typeof place === 'string') {
    sink.refused(place, message.venue, quote.symbol)
    return undefined
  }
  if (place.terms.simulated !== message.simulated) {
    sink.refused('mislabelled', place.venue, place.symbol)
    return undefined
  }
  if (quote.time - cause.time > rules.maxAheadMs) {
    // Its age cannot be known, and what was known before it is outdated.
    sink.refused('future', place.venue, place.symbol)
    place.quote = undefined
    return place
  }
  if (place.quote && quote.time < place.quote.time) {
    sink.refused('superseded', place.venue, place.symbol)
    return undefined
  }
  if (cause.time - quote.time > rules.maxAgeMs) sink.refused('too_old', place.venue, place.symbol)
  place.quote = quote
  place.cause = cause
  place.mid = midOrSideOf(quote)
  if (place.mid > 0 && jumps(place.anchor, place.mid, quote.time, rules))
    sink.refused('jump', place.venue, place.symbol)
  return place
}

function evaluate(board: Board, place: Place, cause: Cause, rules: SpotRules, sink: SpotSink): void {
  let best = Number.NEGATIVE_INFINITY
  let compared = false
  for (const pair of place.pairs) {
    const trouble = troubleOf(pair, cause.time, rules, sink)
    if (trouble) {
      if (pair.there.episode) end(board, pair.there, trouble, cause.time, sink)
      if (pair.back.episode) end(board, pair.back, trouble, cause.time, sink)
      continue
    }
    const there = look(board, pair.there, cause, rules, sink)
    const back = look(board, pair.back, cause, rules, sink)
    best = Math.max(best, there, back)
    compared = true
  }
  if (compared) sink.judged?.(place.symbol, best)
}

const isStale = (quote: Quote, time: number, rules: SpotRules) => time - quote.time > rules.maxAgeMs

/** Why neither direction of a pair may be traded now. */
function troubleOf(pair: Pair, time: number, rules: SpotRules, sink: SpotSink): EndReason | undefined {
  const { a, b } = pair
  if (!a.quote || !b.quote) return 'refused'
  if (isStale(a.quote, time, rules) || isStale(b.quote, time, rules)) return 'stale'
  if (a.mid > 0 && b.mid > 0 && deviation(a.mid, b.mid) > rules.maxDeviation) {
    pair.suspectUntil = time + rules.quarantineMs
    sink.refused('deviation', a.venue, a.symbol)
    sink.refused('deviation', b.venue, b.symbol)
    return 'refused'
  }
  const suspended = Math.max(pair.suspectUntil, a.anchor.haltedUntil, b.anchor.haltedUntil)
  return time < suspended ? 'refused' : undefined
}

/** Opens, sees or ends the episode of one direction; its edge. */
function look(board: Board, lane: Lane, cause: Cause, rules: SpotRules, sink: SpotSink): number {
  const { buy, sell } = lane
  const ask = buy.quote?.asks[0]?.[0]
  const bid = sell.quote?.bids[0]?.[0]
  const edge =
    ask === undefined || bid === undefined
      ? Number.NEGATIVE_INFINITY
      : edgeOf(bid, ask, sell.sellFactor, buy.buyFactor)
  if (!(edge > rules.minEdge)) {
    if (lane.episode) end(board, lane, 'gone', cause.time, sink)
  } else if (lane.episode) {
    seeEpisode(lane.episode, edge, cause.time)
  } else {
    begin(board, lane, edge, cause, rules, sink)
  }
  return edge
}

function begin(board: Board, lane: Lane, edge: number, cause: Cause, rules: SpotRules, sink: SpotSink): void {
  const { buy, sell } = lane
  const depth = sweep(buy.quote!.asks, sell.quote!.bids, {
    buyFactor: buy.buyFactor,
    sellFactor: sell.sellFactor,
    minEdge: rules.minEdge,
    maxLevels: rules.maxLevels,
  })
  // Too small to be ordered: it is not announced before the depth suffices.
  if (!fits(lane, depth)) return
  lane.episode = openEpisode(
    { quote: buy.quote!, cause: buy.cause!, factor: buy.buyFactor },
    { quote: sell.quote!, cause: sell.cause!, factor: sell.sellFactor },
    edge,
    depth,
    cause,
  )
  board.open.add(lane)
  sink.opened(lane, lane.episode)
}

// 3 × 0.3 is 0.8999… in float64; a size that reaches a limit to nine digits reaches it. The plan is exact.
const ROUNDING = 1e-9
const reaches = (value: number, limit: number) => value * (1 + ROUNDING) >= limit

/** Whether both venues take an order of the swept size, rounded down to the coarser lot. */
function fits({ buy, sell }: Lane, depth: Sweep): boolean {
  const lot = Math.max(buy.terms.lot, sell.terms.lot)
  const quantity = lot > 0 ? Math.floor(depth.quantity / lot + ROUNDING) * lot : depth.quantity
  return (
    quantity > 0 &&
    reaches(quantity, buy.terms.minQuantity) &&
    reaches(quantity, sell.terms.minQuantity) &&
    reaches(quantity * buy.quote!.asks[0]![0], buy.terms.minNotional) &&
    reaches(quantity * depth.sellLimit, sell.terms.minNotional)
  )
}

function end(board: Board, lane: Lane, reason: EndReason, time: number, sink: SpotSink): void {
  const episode = lane.episode!
  lane.episode = undefined
  board.open.delete(lane)
  sink.closed(lane, episode, reason, time)
}

function forgetQuietest({ boards }: SpotState, present: Board, cause: Cause, sink: SpotSink): void {
  const board = quietestBut(present, boards)
  if (!board) return
  boards.delete(board.name)
  for (const lane of board.open) end(board, lane, 'stale', cause.time, sink)
  for (const places of board.symbols.values()) {
    for (const { venue, symbol } of places.values()) sink.refused('forgotten', venue, symbol)
  }
}

/** Time passes for every venue of a board with each of its entries, also for those that fell silent. */
function closeStale(board: Board, cause: Cause, rules: SpotRules, sink: SpotSink): void {
  for (const lane of board.open) {
    const [buy, sell] = [lane.buy.quote, lane.sell.quote]
    if (!buy || !sell) end(board, lane, 'refused', cause.time, sink)
    else if (isStale(buy, cause.time, rules) || isStale(sell, cause.time, rules)) {
      end(board, lane, 'stale', cause.time, sink)
    }
  }
}
