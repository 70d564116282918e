// Every pub/sub channel: what may be lost. Channels of a venue and symbol take any case in the symbol.

/** Where an outside program may PUBLISH quotes and funding; the payload is documented in docs/FEEDING.md. */
export const inputChannels = {
  ticker: (venue: string, symbol: string) => `market:ticker:${venue}:${symbol}`,
  orderbook: (venue: string, symbol: string) => `market:orderbook:${venue}:${symbol}`,
  /** An array of quotes: one message of the venue, applied together. */
  batch: (venue: string) => `market:batch:${venue}`,
  /** Funding rates, and what a venue says of a perpetual contract. */
  funding: (venue: string, symbol: string) => `market:funding:${venue}:${symbol}`,
} as const

/** The parts of an input channel's name. A symbol may be written in any case and with / - or _ between. */
export const INPUT_CHANNEL =
  /^market:(?:batch:(?<batchVenue>[^:]+)|(?<kind>ticker|orderbook|funding):(?<venue>[^:]+):(?<symbol>.+))$/

export const INPUT_PATTERNS = [
  'market:ticker:*',
  'market:orderbook:*',
  'market:batch:*',
  'market:funding:*',
] as const

/** Where signals are told to whoever listens: market:signal:technical and so on. */
export const signalChannel = (kind: string) => `market:signal:${kind}`

/** Ticks as they are kept, throttled (TICKS_BROADCAST_MIN_PCT), as JSON of the history's shape (docs/API.md). */
export const tickChannel = (source: string, symbol: string) => `market:tick:${source}:${symbol}`

/** In the outbox: which cached answers are no longer true. The cache tells it to every process. */
export const CACHE_DROPS = 'cache:drops'

/** The waiters of a process hear here that it is their turn to take a lock. */
export const lockTurns = (process: string) => `lock:turns:${process}`
