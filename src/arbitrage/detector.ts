// The detector: a fold over `market.quotes` that says `opened` and `closed` into `arbitrage.opportunities`. Ids
// are derived from the entry that opened an opportunity, so what is said twice after a crash is recognised.
import { EventEmitter } from 'eventemitter3'
import { type Entry, type FoldOptions, type Outgoing, outgoing } from '../bus/index.ts'
import {
  marketQuotes,
  type Opportunity,
  opportunities,
  type QuoteMessage,
  type Source,
} from '../catalog/index.ts'
import { type Config, deriveId, isSluiceError } from '../kernel/index.ts'
import type { VenueTable } from '../venues/index.ts'
import type { Cause, EndReason, Episode } from './episodes.ts'
import {
  applyMessage,
  emptySpot,
  type Refusal,
  type SpotRules,
  type SpotSink,
  type SpotState,
  type Terms,
} from './spot.ts'
import { loadSpot, saveSpot } from './spot-saved.ts'
import type { Lane } from './spot-state.ts'

export interface DetectorEvents {
  /** A quote that detection did not use; counted by reason. */
  refused: (fact: { reason: Refusal; venue: string; symbol: string }) => void
  opened: (opportunity: Opportunity) => void
  closed: (opportunity: Opportunity) => void
}

export type DetectorEmitter = EventEmitter<DetectorEvents>
export const detectorEmitter = (): DetectorEmitter => new EventEmitter<DetectorEvents>()

export type DetectorConfig = Pick<
  Config,
  | 'MIN_EDGE_BPS'
  | 'BOOK_LEVELS'
  | 'QUOTE_MAX_AGE_MS'
  | 'QUOTE_MAX_AHEAD_MS'
  | 'VENUE_MAX_DEVIATION_PCT'
  | 'VENUE_MAX_JUMP_PCT'
  | 'VENUE_QUARANTINE_MS'
>

export type DetectorFold = FoldOptions<QuoteMessage, SpotState>

/** Group `detector`. Facts are for metrics: an entry that is applied again after a crash is counted again. */
export function detector(
  venues: VenueTable,
  config: DetectorConfig,
  events: DetectorEmitter = detectorEmitter(),
): DetectorFold {
  const rules = rulesOf(venues, config)
  return {
    stream: marketQuotes,
    group: 'detector',
    start: emptySpot,
    apply: (state, entry) => {
      const said: Outgoing[] = []
      applyMessage(state, entry.data, causeOf(entry), rules, speaker(said, events))
      return { events: said }
    },
    save: saveSpot,
    load: (saved) => loadSpot(saved, rules.terms),
  }
}

function rulesOf(venues: VenueTable, config: DetectorConfig): SpotRules {
  return {
    minEdge: config.MIN_EDGE_BPS / 10_000,
    maxLevels: config.BOOK_LEVELS,
    maxAgeMs: config.QUOTE_MAX_AGE_MS,
    maxAheadMs: config.QUOTE_MAX_AHEAD_MS,
    maxDeviation: config.VENUE_MAX_DEVIATION_PCT / 100,
    maxJump: config.VENUE_MAX_JUMP_PCT / 100,
    jumpWindowMs: 60_000,
    quarantineMs: config.VENUE_QUARANTINE_MS,
    terms: (venue, symbol) => termsOf(venues, venue, symbol),
  }
}

/** What a venue of the table asks for a symbol, as float64. */
export function termsOf(venues: VenueTable, name: string, symbol: string): ReturnType<SpotRules['terms']> {
  const spec = venues.venue(name)
  if (!spec) return 'unknown_venue'
  try {
    const { lot, minQuantity, minNotional } = spec.instrument(symbol)
    return {
      feeBps: spec.takerFeeBps,
      simulated: spec.kind === 'simulated',
      lot: lot.toNumber(),
      minQuantity: minQuantity.toNumber(),
      minNotional: minNotional.toNumber(),
    } satisfies Terms
  } catch (error) {
    if (isSluiceError(error, 'INSTRUMENT_UNKNOWN')) return 'unknown_symbol'
    throw error
  }
}

const causeOf = (entry: Entry<QuoteMessage>): Cause => ({
  stream: entry.stream,
  partition: entry.partition,
  entry: entry.entry,
  eventId: entry.id,
  time: entry.time,
})

function speaker(said: Outgoing[], events: DetectorEmitter): SpotSink {
  return {
    opened: (lane, episode) => {
      const data = opportunityOf(lane, episode, 'open')
      said.push(eventOf(data, episode.openedAt))
      events.emit('opened', data)
    },
    closed: (lane, episode, reason, time) => {
      const data = opportunityOf(lane, episode, reason)
      // A late entry of a redundant feed must not close an opportunity before it was last seen.
      said.push(eventOf(data, Math.max(time, episode.lastSeenAt)))
      events.emit('closed', data)
    },
    refused: (reason, venue, symbol) => events.emit('refused', { reason, venue, symbol }),
  }
}

const eventOf = (data: Opportunity, time: number): Outgoing =>
  outgoing(opportunities, deriveId(data.id, data.phase), data, {
    type: `${opportunities.name}.${data.phase}`,
    time,
  })

function opportunityOf({ buy, sell }: Lane, episode: Episode, reason: 'open' | EndReason): Opportunity {
  return {
    id: deriveId(buy.symbol, buy.venue, sell.venue, episode.openedBy),
    phase: reason === 'open' ? 'opened' : 'closed',
    symbol: buy.symbol,
    buyVenue: buy.venue,
    sellVenue: sell.venue,
    openedAt: episode.openedAt,
    lastSeenAt: episode.lastSeenAt,
    reason,
    buyPrice: episode.buyPrice,
    sellPrice: episode.sellPrice,
    buyFeeBps: buy.terms.feeBps,
    sellFeeBps: sell.terms.feeBps,
    edgeBps: episode.edgeBps,
    bestEdgeBps: episode.bestEdgeBps,
    quantity: episode.swept.quantity,
    profit: episode.swept.profit,
    buyLimit: episode.swept.buyLimit,
    sellLimit: episode.swept.sellLimit,
    simulated: buy.terms.simulated,
    sources: [
      sourceOf(buy.venue, episode.buyCause, episode.buyQuoteTime),
      sourceOf(sell.venue, episode.sellCause, episode.sellQuoteTime),
    ],
  }
}

const sourceOf = (venue: string, cause: Cause, quoteTime: number): Source => ({
  venue,
  stream: cause.stream,
  partition: cause.partition,
  entry: cause.entry,
  eventId: cause.eventId,
  quoteTime,
})
