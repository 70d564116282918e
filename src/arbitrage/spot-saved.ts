// The engine's memory as JSON. What is derived (terms, pairs, mids) is rebuilt, so that a changed fee or limit
// takes effect at the next start; quotes, gates and open episodes continue as they were.
import type { Quote } from '../catalog/index.ts'
import type { Episode } from './episodes.ts'
import { emptySpot, type SpotRules, type SpotState } from './spot.ts'
import { type Board, boardOfState, midOrSideOf, type Pair, type Place, placeOf } from './spot-state.ts'

const VERSION = 1

type SavedAnchor = [mid: number, at: number, haltedUntil: number]
type SavedCause = [stream: string, partition: number, entry: string, eventId: string, time: number]
interface SavedPlace {
  venue: string
  symbol: string
  quote?: Omit<Quote, 'symbol'>
  cause?: SavedCause
  anchor?: SavedAnchor
}
interface SavedPair {
  symbol: string
  a: string
  b: string
  until: number
}
interface SavedLane {
  symbol: string
  buy: string
  sell: string
  episode: Episode
}
interface SavedBoard {
  name: string
  places: SavedPlace[]
  suspects: SavedPair[]
  open: SavedLane[]
  heardAt?: number
}
interface Saved {
  version: number
  boards: SavedBoard[]
}

export const saveSpot = (state: SpotState): string =>
  JSON.stringify({ version: VERSION, boards: [...state.boards.values()].map(saveBoard) } satisfies Saved)

function saveBoard(board: Board): SavedBoard {
  const places = [...board.symbols.values()].flatMap((venues) => [...venues.values()])
  const pairs = new Set(places.flatMap((place) => place.pairs))
  return {
    name: board.name,
    heardAt: board.heardAt,
    places: places.map(savePlace),
    suspects: [...pairs]
      .filter((pair) => pair.suspectUntil > 0)
      .map(({ a, b, suspectUntil }) => ({ symbol: a.symbol, a: a.venue, b: b.venue, until: suspectUntil })),
    open: [...board.open].map(({ buy, sell, episode }) => ({
      symbol: buy.symbol,
      buy: buy.venue,
      sell: sell.venue,
      episode: episode!,
    })),
  }
}

function savePlace({ venue, symbol, quote, cause, anchor }: Place): SavedPlace {
  const saved: SavedPlace = { venue, symbol }
  if (quote) saved.quote = { bids: quote.bids, asks: quote.asks, time: quote.time }
  if (cause) saved.cause = [cause.stream, cause.partition, cause.entry, cause.eventId, cause.time]
  if (Number.isFinite(anchor.at)) saved.anchor = [anchor.mid, anchor.at, anchor.haltedUntil]
  return saved
}

/** Venues and symbols that are no longer configured are left out, and with them their open episodes. */
export function loadSpot(text: string, terms: SpotRules['terms']): SpotState {
  const state = emptySpot()
  const saved = JSON.parse(text) as Saved
  if (saved.version !== VERSION) return state
  for (const board of saved.boards) loadBoard(boardOfState(state.boards, board.name), board, terms)
  return state
}

function loadBoard(board: Board, saved: SavedBoard, terms: SpotRules['terms']): void {
  board.heardAt = saved.heardAt ?? 0
  for (const place of saved.places) loadPlace(board, place, terms)
  for (const { symbol, a, b, until } of saved.suspects) {
    const pair = pairOf(board, symbol, a, b)
    if (pair) pair.suspectUntil = until
  }
  for (const { symbol, buy, sell, episode } of saved.open) {
    const pair = pairOf(board, symbol, buy, sell)
    if (!pair) continue
    const lane = pair.a.venue === buy ? pair.there : pair.back
    lane.episode = episode
    board.open.add(lane)
  }
}

function loadPlace(board: Board, saved: SavedPlace, terms: SpotRules['terms']): void {
  const place = placeOf(board, saved.venue, saved.symbol, terms)
  if (typeof place === 'string') return
  if (saved.quote) {
    place.quote = { symbol: saved.symbol, ...saved.quote }
    place.mid = midOrSideOf(place.quote)
  }
  if (saved.cause) {
    const [stream, partition, entry, eventId, time] = saved.cause
    place.cause = { stream, partition, entry, eventId, time }
  }
  if (saved.anchor) {
    const [mid, at, haltedUntil] = saved.anchor
    Object.assign(place.anchor, { mid, at, haltedUntil })
  }
}

function pairOf(board: Board, symbol: string, one: string, other: string): Pair | undefined {
  const place = board.symbols.get(symbol)?.get(one)
  return place?.pairs.find(({ a, b }) => a.venue === other || b.venue === other)
}
