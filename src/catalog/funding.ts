// Funding rates and the state of perpetual contracts as they cross processes. Every number is decimal text, as exact as
// it was said: payments are computed from them.
import { z } from 'zod'
import { defineStream } from '../bus/index.ts'
import { symbolName, venueName } from './market.ts'

/** Plain digits; the longest rates that venues give have 18. */
const exact = z
  .string()
  .max(64)
  .regex(/^-?\d+(\.\d+)?$/)
/** A part of the position's worth: what is above all of it is a mistake of units. */
export const rateText = exact.refine((text) => Math.abs(Number(text)) <= 1, 'allowed: -1 to 1')
const wholeMs = z.number().int().positive()

const rateFields = {
  venue: venueName,
  symbol: symbolName,
  /** Of the settlement, ms UTC: see `settlementOf`. */
  fundingTime: wholeMs,
  /** For the whole interval; above zero the long side pays. */
  rate: rateText,
  intervalHours: z.number().positive().max(24).nullable(),
  markPrice: exact.nullable(),
  indexPrice: exact.nullable(),
  nextFundingTime: wholeMs.nullable(),
}

const contextFields = {
  venue: venueName,
  symbol: symbolName,
  funding: exact.nullable(),
  /** Base units. */
  openInterest: exact.nullable(),
  oraclePrice: exact.nullable(),
  markPrice: exact.nullable(),
  midPrice: exact.nullable(),
  /** Of a sale and of a purchase. */
  impactPrices: z.tuple([exact, exact]).nullable(),
  previousDayPrice: exact.nullable(),
  dayNotionalVolume: exact.nullable(),
  dayBaseVolume: exact.nullable(),
}

/** `time` is when the venue said it, ms UTC: in front of the settlement a rate is an estimate. */
export const fundingEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('funding'), ...rateFields, time: wholeMs }),
  z.object({ type: z.literal('context'), ...contextFields, time: wholeMs }),
])
export type FundingEvent = z.infer<typeof fundingEvent>

export const fundingRow = z.object({ ...rateFields, updatedAt: wholeMs })
export type FundingRow = z.infer<typeof fundingRow>

export const contextRow = z.object({ ...contextFields, updatedAt: wholeMs })
export type ContextRow = z.infer<typeof contextRow>

/** To the minute: Binance stamps a settlement up to 47 ms late, and of two stamps of one there must be one row. */
export const settlementOf = (time: number): number => Math.round(time / 60_000) * 60_000

/** The first perpetual contract is of May 2016: what is before it was given in seconds, or is no time. */
export const FIRST_FUNDING = Date.UTC(2016, 0, 1)

/** What an outside feed may XADD: the JSON that it would also PUBLISH, with venue and symbol (docs/FEEDING.md). */
export const inputFunding = defineStream<unknown>({
  name: 'input.funding',
  about:
    'Funding rates and contexts as outside programs send them, not yet checked. XADD is open to everyone.',
  shape: z.unknown(),
  key: () => 'input',
  partitions: 1,
  maxPayloadBytes: 16_000_000,
})

export const marketFunding = defineStream<FundingEvent>({
  name: 'market.funding',
  about: 'Checked funding rates and contexts of perpetual contracts.',
  shape: fundingEvent,
  key: ({ venue, symbol }) => `${venue}|${symbol}`,
  partitions: 4,
  dedupeMs: 3_600_000,
  durable: true,
})
