// A paper venue on a real Redis and a real database, and the books that its orders meet.
import { type OpenBus, openBus, outgoing } from '../../src/bus/index.ts'
import { marketQuotes, type QuoteMessage } from '../../src/catalog/index.ts'
import { type Clock, randomId, systemClock } from '../../src/kernel/index.ts'
import {
  type Order,
  openPaperVenue,
  openVenues,
  type PaperConfig,
  type Venue,
} from '../../src/venues/index.ts'
import type { Book, OrderParts, VenueRig } from '../conformance/venue.ts'
import type { TestDatabase } from '../support/database.ts'

export const SYMBOL = 'BTC/USDT'
export const VENUE = 'sim-gamma'

export const QUIET: PaperConfig = {
  MARKET_TIME: 'event',
  ORDER_TIMEOUT_MS: 20,
  PAPER_LATENCY_MS: 20,
  PAPER_REJECT_RATE: 0,
  PAPER_PARTIAL_RATE: 0,
  PAPER_SILENT_RATE: 0,
}

/** Publishes one entry; answers where it stands. */
export async function tell(
  bus: OpenBus,
  message: Partial<QuoteMessage>,
  time: number,
): Promise<Order['decidedOn']> {
  const data: QuoteMessage = { venue: VENUE, board: SYMBOL, quotes: [], simulated: true, ...message }
  const [receipt] = await bus.publish([outgoing(marketQuotes, randomId(), data, { time })])
  return { stream: marketQuotes.name, partition: receipt!.partition, entry: receipt!.entry }
}

export const quoteOf = (book: Book, time: number) => ({ symbol: SYMBOL, ...book, time })

export interface PaperRig extends VenueRig {
  readonly bus: OpenBus
  openWith(more: Partial<PaperConfig>, clock?: Clock): Venue
}

/** Closing it closes the bus and the database. */
export function openPaperRig(redisUrl: string, place: TestDatabase): PaperRig {
  const bus = openBus({ url: redisUrl, clock: systemClock })
  const spec = openVenues({ VENUES_FILE: '', FEE_BPS: '' }).require(VENUE)
  const openWith = (more: Partial<PaperConfig>, clock: Clock = systemClock) =>
    openPaperVenue({ spec, bus, database: place.database, clock, config: { ...QUIET, ...more } })
  let time = 1_000_000
  return {
    bus,
    symbol: SYMBOL,
    openWith,
    open: () => openWith({}),
    openSilent: () => openWith({ PAPER_SILENT_RATE: 1 }),
    async book(book) {
      time += 1_000
      const decidedAt = time
      const decidedOn = await tell(bus, { quotes: [quoteOf(book, decidedAt)] }, decidedAt)
      // The market's time goes on, so that the order is known to have met this book.
      await tell(bus, {}, decidedAt + 500)
      return (parts: OrderParts): Order => ({ ...parts, symbol: SYMBOL, time: decidedAt, decidedOn })
    },
    async close() {
      await bus.close()
      await place.close()
    },
  }
}
