// Which book an order met: the venue's last one before the order arrived, read back from `market.quotes` from the
// entry the order was decided on. In event time a fill depends on the stream alone; on the
// wall also on how much of it had come when the first one asked, whose answer is kept (venue-orders.ts).
import type { Bus, Entry } from '../bus/index.ts'
import { marketQuotes, type Quote, type QuoteMessage } from '../catalog/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Order } from './venue.ts'

export interface BookQuestion {
  readonly venue: string
  readonly symbol: string
  readonly decidedOn: Order['decidedOn']
  /** When the order reaches the venue, ms, in market time: the time of the entries. */
  readonly arrivesAt: number
}

export interface BookReader {
  readonly bus: Pick<Bus, 'readBack'>
  readonly clock: Clock
  /**
   * `wall`: waits until the wall clock is past the arrival. `event`: waits until an entry of the partition is,
   * because only then is it known that no earlier one will follow.
   */
  readonly marketTime: 'wall' | 'event'
}

// An order that arrives 20 ms later meets one of the next few books, and 500 books of 20 levels take 35 ms to decode.
const FIRST_BATCH = 8
const BATCH_MAX = 500
const POLL_MS = 5
// Publishers stamp entries with their own clocks, so on the wall an entry of before may stand behind one of after.
const WALL_SKEW_MS = 1_000

/**
 * The book in force at the arrival; undefined when the stream does not hold one (the entry was trimmed, or it and
 * those after it have no quote of that venue and symbol) or when the signal aborted first.
 */
export async function bookInForce(
  reader: BookReader,
  question: BookQuestion,
  signal: AbortSignal,
): Promise<Quote | undefined> {
  const { bus, clock, marketTime } = reader
  const { arrivesAt, decidedOn } = question
  const byWall = marketTime === 'wall'
  while (byWall && clock.now() <= arrivesAt && !signal.aborted) {
    await clock.sleep(Math.ceil(arrivesAt - clock.now()) + 1, signal)
  }
  const pastAt = byWall ? arrivesAt + WALL_SKEW_MS : arrivesAt
  let after = entryBefore(decidedOn.entry)
  let book: Quote | undefined
  let begun = false
  for (let count = FIRST_BATCH; !signal.aborted; count = Math.min(count * 4, BATCH_MAX)) {
    const entries = await bus.readBack(marketQuotes, decidedOn.partition, after, count)
    // What stood before a trimmed entry cannot be known, and a later book is not the one it was decided on.
    if (!begun && entries[0] && entries[0].entry !== decidedOn.entry) return undefined
    for (const entry of entries) {
      if (entry.time > pastAt) return book
      if (entry.time <= arrivesAt) book = quoteIn(entry, question) ?? book
      after = entry.entry
      begun = true
    }
    if (entries.length > 0) continue
    if (byWall || !begun) return book
    await clock.sleep(POLL_MS, signal)
  }
  return undefined
}

/** The greatest Redis id below this one: reading after it begins with the entry itself. */
export function entryBefore(entry: string): string {
  const [ms = '0', sequence = '0'] = entry.split('-')
  if (BigInt(sequence) > 0n) return `${ms}-${BigInt(sequence) - 1n}`
  return `${BigInt(ms) - 1n}-${2n ** 64n - 1n}`
}

function quoteIn(entry: Entry<QuoteMessage>, { venue, symbol }: BookQuestion): Quote | undefined {
  if (entry.data.venue !== venue) return undefined
  return entry.data.quotes.findLast((quote) => quote.symbol === symbol)
}
