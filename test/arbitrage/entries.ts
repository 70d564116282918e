// Entries of market.quotes for tests of the detector, without a server: the fold is pure.
import type { Entry } from '../../src/bus/index.ts'
import { type Level, marketQuotes, type Quote, type QuoteMessage } from '../../src/catalog/index.ts'
import { decimal, SluiceError } from '../../src/kernel/index.ts'
import type { Instrument, VenueSpec, VenueTable } from '../../src/venues/index.ts'

export interface VenueGiven {
  kind?: VenueSpec['kind']
  feeBps?: number
  lot?: string
  minQuantity?: string
  minNotional?: string
}

/** A venue table of the given venues, each trading every symbol but NO/NE. */
export function venueTable(given: Record<string, VenueGiven>): VenueTable {
  const specs = new Map(Object.entries(given).map(([name, more]) => [name, specOf(name, more)]))
  return {
    venue: (name) => specs.get(name),
    names: () => [...specs.keys()],
    require: (name) => {
      const spec = specs.get(name)
      if (!spec) throw new SluiceError('VENUE_UNKNOWN', name)
      return spec
    },
  }
}

function specOf(name: string, given: VenueGiven): VenueSpec {
  return {
    name,
    kind: given.kind ?? 'recorded',
    takerFeeBps: given.feeBps ?? 0,
    symbols: [],
    instrument: (symbol): Instrument => {
      if (symbol === 'NO/NE') throw new SluiceError('INSTRUMENT_UNKNOWN', symbol)
      const [base = '', quote = ''] = symbol.split('/')
      return {
        symbol,
        base,
        quote,
        tick: decimal('0.01'),
        lot: decimal(given.lot ?? '0.0001'),
        minQuantity: decimal(given.minQuantity ?? '0.0001'),
        minNotional: decimal(given.minNotional ?? '0'),
      }
    },
  }
}

/** A best level a side unless levels are given. */
export function quoteOf(symbol: string, bid: number | Level[], ask: number | Level[], time: number): Quote {
  const levels = (side: number | Level[]): Level[] => (typeof side === 'number' ? [[side, 1]] : side)
  return { symbol, bids: levels(bid), asks: levels(ask), time }
}

let sequence = 0

export function entryOf(
  message: Partial<QuoteMessage> & { venue: string },
  time: number,
): Entry<QuoteMessage> {
  sequence += 1
  const board = message.board ?? message.quotes?.[0]?.symbol ?? 'BTC/USDT'
  return {
    id: `event-${sequence}`,
    type: marketQuotes.name,
    source: 'test',
    time,
    key: board,
    sequence,
    traceparent: undefined,
    data: { quotes: [], simulated: false, ...message, board },
    stream: marketQuotes.name,
    partition: 3,
    entry: `${sequence}-0`,
    attempt: 1,
  }
}
