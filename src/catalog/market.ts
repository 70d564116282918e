// Shapes of market data as it crosses processes. Prices and sizes are float64: they are read, compared and
// swept; anything that is sent or booked is computed again in decimals (src/arbitrage/plan.ts).
import { z } from 'zod'

/** Redis hash: the last stored step of each recording, under its FEED setting. */
export const feedPlaces = 'feed:places'

const price = z.number().positive().finite()
const quantity = z.number().positive().finite()
const timeMs = z.number().finite().positive()

export const venueName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/)
/** BASE/QUOTE in capitals, for example BTC/USDT. */
export const symbolName = z.string().regex(/^[A-Z0-9]{1,15}\/[A-Z0-9]{1,15}$/)

/** [price, quantity], quantity in base units. */
export const level = z.tuple([price, quantity])
export type Level = z.infer<typeof level>

/** Best first on both sides. A tick is a quote with one level a side. An empty side is a side without offers. */
export const quote = z
  .object({
    symbol: symbolName,
    bids: z.array(level),
    asks: z.array(level),
    /** The venue's own time of this state, ms UTC. */
    time: timeMs,
  })
  .refine((q) => isDescending(q.bids), { message: 'bids are not best first', path: ['bids'] })
  .refine((q) => isAscending(q.asks), { message: 'asks are not best first', path: ['asks'] })
  .refine((q) => !isCrossed(q.bids, q.asks), {
    message: 'best bid is above best ask (crossed)',
    path: ['bids'],
  })
export type Quote = z.infer<typeof quote>

/**
 * One message of one venue: all its quotes of one board, applied together. Without quotes it is a heartbeat that
 * says that the venue's time has come this far and nothing changed.
 */
export const quoteMessage = z.object({
  venue: venueName,
  board: z.string().min(1).max(64),
  quotes: z.array(quote).max(10_000),
  /** Made up by the simulator: never to be mistaken for a market. */
  simulated: z.boolean().default(false),
})
export type QuoteMessage = z.infer<typeof quoteMessage>

/** A message from outside that was not used, in whole or in part, and why. Reasons: docs/FEEDING.md. */
export const inputRejected = z.object({
  /** The channel it came on, or the stream and entry. */
  channel: z.string(),
  /** Of the first thing that was wrong. */
  reason: z.string(),
  /** `reason: what was found`, at most 20. */
  details: z.array(z.string()),
  /** How many quotes (or 1 for the whole message) were rejected. */
  rejected: z.number().int().min(1),
  /** The first 2,000 characters. */
  excerpt: z.string(),
  bytes: z.number().int().min(0),
  sha256: z.string(),
})
export type InputRejected = z.infer<typeof inputRejected>

const isDescending = (side: readonly Level[]) => side.every((l, i) => i === 0 || l[0] < side[i - 1]![0])
const isAscending = (side: readonly Level[]) => side.every((l, i) => i === 0 || l[0] > side[i - 1]![0])
const isCrossed = (bids: readonly Level[], asks: readonly Level[]) =>
  bids[0] !== undefined && asks[0] !== undefined && bids[0][0] > asks[0][0]
