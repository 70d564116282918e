// An episode is one life of an opportunity: a maximal run of moments at which its edge was above the minimum.
import type { Quote } from '../catalog/index.ts'
import { toBps } from './fees.ts'
import type { Sweep } from './sweep.ts'

/** The stream entry that a quote came with; `time` is the entry's, ms UTC. */
export interface Cause {
  readonly stream: string
  readonly partition: number
  readonly entry: string
  readonly eventId: string
  readonly time: number
}

/** What was known when it began. All of it is JSON. */
export interface Opening {
  readonly openedAt: number
  /** Event id of the entry that opened it. */
  readonly openedBy: string
  readonly buyPrice: number
  readonly sellPrice: number
  /** The smaller of the two best sizes, and its profit after fees. */
  readonly topQuantity: number
  readonly topProfit: number
  readonly swept: Sweep
  readonly edgeBps: number
  readonly buyCause: Cause
  readonly sellCause: Cause
  readonly buyQuoteTime: number
  readonly sellQuoteTime: number
}

export interface Episode extends Opening {
  lastSeenAt: number
  bestEdgeBps: number
}

/** gone: the edge fell to the minimum. stale: a quote grew too old. refused: a quote may not be trusted any more. */
export type EndReason = 'gone' | 'stale' | 'refused'

export interface Side {
  readonly quote: Quote
  readonly cause: Cause
  /** Factor of fees.ts for this leg. */
  readonly factor: number
}

/** Both sides must have a best level. `now` is the cause that made it visible. */
export function openEpisode(buy: Side, sell: Side, edge: number, swept: Sweep, now: Cause): Episode {
  const [ask, askSize] = buy.quote.asks[0]!
  const [bid, bidSize] = sell.quote.bids[0]!
  const topQuantity = Math.min(askSize, bidSize)
  const edgeBps = toBps(edge)
  return {
    openedAt: now.time,
    openedBy: now.eventId,
    buyPrice: ask,
    sellPrice: bid,
    topQuantity,
    topProfit: topQuantity * (bid * sell.factor - ask * buy.factor),
    swept,
    edgeBps,
    buyCause: buy.cause,
    sellCause: sell.cause,
    buyQuoteTime: buy.quote.time,
    sellQuoteTime: sell.quote.time,
    lastSeenAt: now.time,
    bestEdgeBps: edgeBps,
  }
}

export function seeEpisode(episode: Episode, edge: number, time: number): void {
  // Redundant feeds may publish a little out of order; a life never shrinks.
  if (time > episode.lastSeenAt) episode.lastSeenAt = time
  const edgeBps = toBps(edge)
  if (edgeBps > episode.bestEdgeBps) episode.bestEdgeBps = edgeBps
}

/** sorted[floor(n × q)]; null of nothing. */
export function percentile(values: readonly number[], q: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * q), sorted.length - 1)] ?? null
}
