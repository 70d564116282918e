// Whether the entries that an opportunity names really offer what it promises. Its stream is open to whoever reaches
// Redis, and the legs go out at its limits: limits that no book ever held fill one leg only, and trading that back
// loses money (measured: 2 spreads and 3 fees, about 4 bps of the notional); an entry that no stream holds leaves
// orders that no venue can answer, and with them everything of the symbol.
import type { Bus } from '../bus/index.ts'
import { type Level, marketQuotes, type Opportunity, type Quote, type Source } from '../catalog/index.ts'
import { entryBefore } from '../venues/index.ts'
import { type Denial, deny } from './risk.ts'

type Reader = Pick<Bus, 'readBack'>

/** Below 10^19 on both sides: what Redis takes as an id. */
const ENTRY = /^[1-9]\d{0,18}-\d{1,19}$/
// Sums of float64 sizes in another order.
const SLACK = 1 + 1e-9

/** Undefined when both entries hold the books that the limits and the quantity were computed from. */
export async function checkSources(bus: Reader, opportunity: Opportunity): Promise<Denial | undefined> {
  const { buyVenue, sellVenue, buyLimit, sellLimit, buyPrice, sellPrice, quantity } = opportunity
  const [buy, sell] = await Promise.all([
    quotesOf(bus, opportunity, buyVenue),
    quotesOf(bus, opportunity, sellVenue),
  ])
  if (buy.length === 0) return deny('source_missing', { venue: buyVenue })
  if (sell.length === 0) return deny('source_missing', { venue: sellVenue })
  if (!buy.some(({ asks }) => offers(asks, buyPrice, buyLimit, quantity))) {
    return deny('not_in_sources', { venue: buyVenue, price: buyPrice, limit: buyLimit, quantity })
  }
  if (!sell.some(({ bids }) => offers(bids, sellPrice, sellLimit, quantity))) {
    return deny('not_in_sources', { venue: sellVenue, price: sellPrice, limit: sellLimit, quantity })
  }
  return undefined
}

/** What the named entry says of the venue and symbol; nothing when it is not there or is another's. */
async function quotesOf(bus: Reader, { symbol, sources }: Opportunity, venue: string): Promise<Quote[]> {
  const source = sources.find((one) => one.venue === venue)
  if (!source || !mayExist(source)) return []
  const { partition, entry: id, eventId, quoteTime } = source
  const [entry] = await bus.readBack(marketQuotes, partition, entryBefore(id), 1)
  if (entry?.entry !== id || entry.id !== eventId || entry.data.venue !== venue) return []
  return entry.data.quotes.filter((quote) => quote.symbol === symbol && quote.time === quoteTime)
}

const mayExist = ({ stream, partition, entry }: Source) =>
  stream === marketQuotes.name && partition < marketQuotes.partitions && ENTRY.test(entry)

/** The best level has the price, some level is the limit, and the levels up to it have the quantity. */
function offers(side: readonly Level[], price: number, limit: number, quantity: number): boolean {
  const last = side.findIndex((level) => level[0] === limit)
  if (last < 0 || side[0]?.[0] !== price) return false
  const size = side.slice(0, last + 1).reduce((sum, level) => sum + level[1], 0)
  return quantity > 0 && quantity <= size * SLACK
}
