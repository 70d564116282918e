// What perpetual contracts pay for being held, and what their venues say about them. Written by the funding context
// alone. Every number is decimal: a payment is position × mark price × rate, and HTX gives rates of 18 digits.
import type { Words } from '../words/postgres.ts'

/** One row for each settlement; of one that is still to come, the newest estimate. */
export const fundingRates = (w: Words) =>
  w.table(
    'funding_rates',
    {
      venue: w.text('venue').notNull(),
      symbol: w.text('symbol').notNull(),
      /** Of the settlement, to the minute. */
      fundingTime: w.instant('funding_time').notNull(),
      /** A part of the position's worth, for the whole interval; above zero the long side pays. */
      rate: w.decimal('rate').notNull(),
      /** From one settlement to the next; null where nobody has said. */
      intervalHours: w.float('interval_hours'),
      markPrice: w.decimal('mark_price'),
      indexPrice: w.decimal('index_price'),
      nextFundingTime: w.instant('next_funding_time'),
      /** When it was said: in front of the settlement it is an estimate. Of a file, the settlement. */
      updatedAt: w.instant('updated_at').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.venue, t.symbol, t.fundingTime] })],
  )

/** The newest that a venue has said of an instrument; null is what it did not say. */
export const assetContexts = (w: Words) =>
  w.table(
    'asset_contexts',
    {
      venue: w.text('venue').notNull(),
      symbol: w.text('symbol').notNull(),
      funding: w.decimal('funding'),
      /** Base units. */
      openInterest: w.decimal('open_interest'),
      oraclePrice: w.decimal('oracle_price'),
      markPrice: w.decimal('mark_price'),
      midPrice: w.decimal('mid_price'),
      /** Of a sale and of a purchase of the size that the venue names. */
      impactPrices: w.json<[string, string]>('impact_prices'),
      previousDayPrice: w.decimal('previous_day_price'),
      dayNotionalVolume: w.decimal('day_notional_volume'),
      dayBaseVolume: w.decimal('day_base_volume'),
      /** The venue's own time of it. */
      updatedAt: w.instant('updated_at').notNull(),
    },
    (t) => [w.primaryKey({ columns: [t.venue, t.symbol] })],
  )
