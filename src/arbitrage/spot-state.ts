// What the engine remembers: for each board its symbols, for each symbol the venues' last quotes, the pairs of
// venues and the episodes that are open. Built so that an update walks arrays and looks up two maps.
import type { Quote } from '../catalog/index.ts'
import type { Cause, Episode } from './episodes.ts'
import { buyFactor, sellFactor } from './fees.ts'
import { type Anchor, newAnchor } from './plausibility.ts'
import type { SpotRules, Terms } from './spot.ts'

/** One symbol at one venue. */
export interface Place {
  readonly venue: string
  readonly symbol: string
  readonly terms: Terms
  readonly buyFactor: number
  readonly sellFactor: number
  /** Pairs with every other comparable venue of the symbol. */
  readonly pairs: Pair[]
  readonly anchor: Anchor
  quote: Quote | undefined
  cause: Cause | undefined
  mid: number
}

/** One direction of a pair: buy here, sell there. */
export interface Lane {
  readonly buy: Place
  readonly sell: Place
  episode: Episode | undefined
}

export interface Pair {
  readonly a: Place
  readonly b: Place
  /** Buy at a, sell at b. */
  readonly there: Lane
  readonly back: Lane
  /** The two disagreed; not traded before this time, ms. */
  suspectUntil: number
}

export interface Board {
  readonly name: string
  /** symbol → venue → place. */
  readonly symbols: Map<string, Map<string, Place>>
  readonly open: Set<Lane>
  /** Time of its newest entry, ms. */
  heardAt: number
}

export function boardOfState(boards: Map<string, Board>, name: string): Board {
  let board = boards.get(name)
  if (!board) {
    board = { name, symbols: new Map(), open: new Set(), heardAt: 0 }
    boards.set(name, board)
  }
  return board
}

/** The board besides `present` that was silent for longest; of equal ones the one that is known for longest. */
export function quietestBut(present: Board, boards: ReadonlyMap<string, Board>): Board | undefined {
  let found: Board | undefined
  for (const board of boards.values()) {
    if (board !== present && (!found || board.heardAt < found.heardAt)) found = board
  }
  return found
}

/** The place of a venue's symbol, paired with the others on first sight; or why there can be none. */
export function placeOf(
  board: Board,
  venue: string,
  symbol: string,
  terms: SpotRules['terms'],
): Place | 'unknown_venue' | 'unknown_symbol' {
  const known = board.symbols.get(symbol)?.get(venue)
  if (known) return known
  const found = terms(venue, symbol)
  if (typeof found === 'string') return found
  const place: Place = {
    venue,
    symbol,
    terms: found,
    buyFactor: buyFactor(found.feeBps),
    sellFactor: sellFactor(found.feeBps),
    pairs: [],
    anchor: newAnchor(),
    quote: undefined,
    cause: undefined,
    mid: 0,
  }
  const places = board.symbols.get(symbol) ?? new Map<string, Place>()
  board.symbols.set(symbol, places)
  for (const other of places.values()) {
    // A made-up market and a recorded one have no common price.
    if (other.terms.simulated === found.simulated) pairUp(other, place)
  }
  places.set(venue, place)
  return place
}

/** Of the best levels; of the one side that has any; 0 of an empty book. */
export function midOrSideOf({ bids, asks }: Quote): number {
  const bid = bids[0]?.[0]
  const ask = asks[0]?.[0]
  return bid === undefined ? (ask ?? 0) : ask === undefined ? bid : (bid + ask) / 2
}

function pairUp(a: Place, b: Place): void {
  const pair: Pair = {
    a,
    b,
    there: { buy: a, sell: b, episode: undefined },
    back: { buy: b, sell: a, episode: undefined },
    suspectUntil: 0,
  }
  a.pairs.push(pair)
  b.pairs.push(pair)
}
