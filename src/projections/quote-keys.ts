// Quotes as the keys of the contest and of the collector. A price is the mid of best bid and ask: Sluice keeps quotes and
// no trades. Numbers are the float64 of the source, in their shortest form.
import { type ProjectionFamily, projections } from '../catalog/index.ts'
import { isoTime } from '../kernel/index.ts'
import { type Tick, tickJson } from '../ticks/index.ts'
import { microsOf, type NewestQuote, type NewestQuotes } from './newest-quotes.ts'
import type { Member, Put } from './writer.ts'

/** Levels of each side under which a reader may ask for a book. */
const BOOK_LIMITS = [5, 20]
const PAGE = { page: 1, limit: 50 }

const midOf = ({ bid, ask }: Tick) => (bid + ask) / 2

const put = (
  version: number,
  key: string,
  { lifetimeMs }: { readonly lifetimeMs: number },
  value: unknown,
): Put => ({ key, version, lifetimeMs, content: { type: 'string', value: JSON.stringify(value) } })

/** What has to be written when these have changed. */
export function quoteKeys(
  changed: readonly NewestQuote[],
  state: NewestQuotes,
  families: ReadonlySet<ProjectionFamily>,
): Put[] {
  const symbols = new Set(changed.map(({ tick }) => tick.symbol))
  const venues = new Set(changed.map(({ tick }) => tick.source))
  return [
    ...(families.has('nof0') ? priceKeys(changed, symbols, state) : []),
    ...(families.has('market') ? marketKeys(changed, venues, state) : []),
    ...(families.has('ticks') ? latestTicks(symbols, state) : []),
  ]
}

function priceKeys(
  changed: readonly NewestQuote[],
  symbols: ReadonlySet<string>,
  state: NewestQuotes,
): Put[] {
  const { price, priceLatest, cryptoPrices } = projections
  const all = state.symbols().map((symbol) => state.primaryOf(symbol)!)
  return [
    ...changed.map(({ tick }) => {
      const key = price.key({ provider: tick.source, symbol: tick.symbol })
      return put(microsOf(tick), key, price, priceJson(tick))
    }),
    ...[...symbols].map((symbol) => {
      const { tick, newest } = state.primaryOf(symbol)!
      return put(newest, priceLatest.key({ symbol }), priceLatest, priceJson(tick))
    }),
    put(
      Math.max(...all.map(({ newest }) => newest)),
      cryptoPrices.key({}),
      cryptoPrices,
      Object.fromEntries(all.map(({ tick }) => [tick.symbol, priceJson(tick)])),
    ),
  ]
}

const priceJson = (tick: Tick) => ({
  ...{ symbol: tick.symbol, price: midOf(tick), timestamp: tick.time, provider: tick.source },
})

function marketKeys(
  changed: readonly NewestQuote[],
  venues: ReadonlySet<string>,
  state: NewestQuotes,
): Put[] {
  const { ticker, marketPrices, bulkTickers, marketData } = projections
  const single = changed.flatMap((one): Put[] => {
    const { tick } = one
    const parts = { exchange: tick.source, symbol: tick.symbol }
    const page = { data: [dataJson(tick)], total: 1, ...PAGE }
    return [
      put(microsOf(tick), ticker.key(parts), ticker, tickerJson(tick)),
      put(microsOf(tick), marketPrices.key({ ...parts, ...PAGE }), marketPrices, page),
      ...bookKeys(one),
    ]
  })
  const together = [...venues].flatMap((exchange): Put[] => {
    const ticks = state.atVenue(exchange).map(({ tick }) => tick)
    const version = Math.max(...ticks.map(microsOf))
    return [
      put(version, bulkTickers.key({ exchange }), bulkTickers, ticks.map(tickerJson)),
      put(version, marketData.key({ exchange }), marketData, ticks.map(dataJson)),
    ]
  })
  return [...single, ...together]
}

const tickerJson = (tick: Tick) => ({
  ...{ exchange: tick.source, symbol: tick.symbol, bid: tick.bid, bid_volume: tick.bidSize ?? null },
  ...{ ask: tick.ask, ask_volume: tick.askSize ?? null, last: midOf(tick), timestamp: isoTime(tick.time) },
})

const dataJson = (tick: Tick) => ({
  ...{ exchange: tick.source, symbol: tick.symbol, price: midOf(tick), bid: tick.bid, ask: tick.ask },
  ...{ volume: tick.volume, timestamp: isoTime(tick.time) },
})

function bookKeys({ tick, quote }: NewestQuote): Put[] {
  if (!quote) return []
  const { orderBook } = projections
  return BOOK_LIMITS.map((limit) => {
    const [bids, asks] = [quote.bids.slice(0, limit), quote.asks.slice(0, limit)]
    const key = orderBook.key({ exchange: tick.source, symbol: tick.symbol, limit })
    const book = { exchange: tick.source, symbol: tick.symbol, bids, asks, timestamp: isoTime(tick.time) }
    return put(microsOf(tick), key, orderBook, book)
  })
}

function latestTicks(symbols: ReadonlySet<string>, state: NewestQuotes): Put[] {
  const { latestTick } = projections
  return [...symbols].map((symbol) => {
    const { tick, newest } = state.primaryOf(symbol)!
    return put(newest, latestTick.key({ symbol }), latestTick, memberJson(tick))
  })
}

/** A tick never changes, and of one time, source and content there is one. */
export const tickMember = (tick: Tick): Member => [tick.time, JSON.stringify(memberJson(tick))]

/** Without the number among the ticks of one time, which the store gives later than the stream. */
function memberJson(tick: Tick) {
  const { sequence: _, ...fields } = tickJson(tick)
  return fields
}
