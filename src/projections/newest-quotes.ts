// The newest tick of each symbol at each venue, with its book where that is known. Bounded: of more series the one that
// was silent for longest is forgotten, because an outside feed may name any symbol.
import type { Quote } from '../catalog/index.ts'
import type { Tick } from '../ticks/index.ts'

export interface NewestQuote {
  readonly tick: Tick
  /** Of the same moment; undefined for a tick out of the store. */
  readonly quote: Quote | undefined
}

export interface NewestQuotes {
  /** False for one that is older than what is known. */
  take(quote: NewestQuote): boolean
  /** By symbol. */
  atVenue(venue: string): NewestQuote[]
  all(): NewestQuote[]
  venues(): string[]
  symbols(): string[]
  /** The one that stands for a symbol that several venues quote. */
  primaryOf(symbol: string): NewestQuote | undefined
}

const SERIES_MAX = 4_096
// Venues that were quoted this shortly before the newest are alike, ms.
const ALIKE_MS = 10_000

/** µs UTC: also the version of what is made of it. */
export const microsOf = ({ time, nanos }: Tick): number => time * 1_000 + Math.floor(nanos / 1_000)

export function openNewestQuotes(): NewestQuotes {
  const newest = new Map<string, NewestQuote>()
  const nameOf = ({ source, symbol }: Tick) => `${source}\n${symbol}`
  const bySymbol = (a: NewestQuote, b: NewestQuote) => (a.tick.symbol < b.tick.symbol ? -1 : 1)
  const sorted = (names: Iterable<string>) => [...new Set(names)].sort()
  return {
    take(one) {
      const name = nameOf(one.tick)
      const known = newest.get(name)
      if (known && microsOf(known.tick) > microsOf(one.tick)) return false
      newest.delete(name)
      newest.set(name, one)
      if (newest.size > SERIES_MAX) newest.delete(newest.keys().next().value!)
      return true
    },
    atVenue: (venue) => [...newest.values()].filter(({ tick }) => tick.source === venue).sort(bySymbol),
    all: () => [...newest.values()],
    venues: () => sorted([...newest.values()].map(({ tick }) => tick.source)),
    symbols: () => sorted([...newest.values()].map(({ tick }) => tick.symbol)),
    primaryOf(symbol) {
      const quotes = [...newest.values()].filter(({ tick }) => tick.symbol === symbol)
      const last = Math.max(...quotes.map(({ tick }) => tick.time))
      return quotes
        .filter(({ tick }) => tick.time >= last - ALIKE_MS)
        .sort((a, b) => (a.tick.source < b.tick.source ? -1 : 1))[0]
    },
  }
}
