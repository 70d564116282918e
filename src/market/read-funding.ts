// A funding rate or the context of a perpetual contract as it came from outside, with the names that venues and the
// reference systems use. The two are told apart by their fields: a rate has one, and the time of its settlement.
import { FIRST_FUNDING, type FundingEvent, rateText, settlementOf } from '../catalog/index.ts'
import { exactText } from '../kernel/index.ts'
import type { VenueTable } from '../venues/index.ts'
import type { ChannelFacts } from './input-channel.ts'
import { positiveNumber, timeOf } from './numbers.ts'
import {
  attempt,
  type Fields,
  fieldsOf,
  firstOf,
  momentOf,
  Refused,
  shown,
  symbolOf,
  venueOf,
} from './read-fields.ts'
import type { Rejection } from './reasons.ts'

const NAMES = {
  rate: ['rate', 'fundingRate', 'funding_rate'],
  fundingTime: ['fundingTime', 'funding_time'],
  nextFundingTime: ['nextFundingTime', 'next_funding_time'],
  intervalHours: ['intervalHours', 'interval_hours', 'fundingIntervalHours', 'funding_interval'],
  markPrice: ['markPrice', 'mark_price', 'markPx', 'mark_px'],
  indexPrice: ['indexPrice', 'index_price'],
  funding: ['funding'],
  openInterest: ['openInterest', 'open_interest'],
  oraclePrice: ['oraclePrice', 'oracle_price', 'oraclePx', 'oracle_px'],
  midPrice: ['midPrice', 'mid_price', 'midPx', 'mid_px'],
  impactPrices: ['impactPrices', 'impact_prices', 'impactPxs', 'impact_pxs'],
  previousDayPrice: ['previousDayPrice', 'prev_day_price', 'prevDayPx', 'prev_day_px'],
  dayNotionalVolume: ['dayNotionalVolume', 'day_notional_volume', 'dayNtlVlm', 'day_ntl_vlm'],
  dayBaseVolume: ['dayBaseVolume', 'day_base_volume', 'dayBaseVlm', 'day_base_vlm'],
} as const
type Name = keyof typeof NAMES

// Venues settle at least once a day.
const AHEAD_MAX_MS = 2 * 86_400_000
const INTERVAL_MAX_HOURS = 24

/** @param now ms UTC, when Redis took it or a bridge heard it. */
export function readFunding(
  value: unknown,
  channel: ChannelFacts | undefined,
  now: number,
  venues: VenueTable,
): FundingEvent | Rejection {
  return attempt(() => {
    const fields = fieldsOf(value, 'a funding rate')
    const spec = venueOf(fields, channel, venues)
    const symbol = symbolOf(fields, channel, spec)
    const time = Math.floor(momentOf(fields, now))
    const about = { venue: spec.name, symbol }
    if (find(fields, 'rate') === undefined) return { type: 'context', ...about, ...contextOf(fields), time }
    return { type: 'funding', ...about, ...rateOf(fields, time), time }
  })
}

function rateOf(fields: Fields, time: number) {
  const fundingTime = settlement(fields, 'fundingTime', time)
  if (fundingTime === null) throw new Refused('missing_field', 'fundingTime is missing (of the settlement)')
  const nextFundingTime = settlement(fields, 'nextFundingTime', fundingTime)
  if (nextFundingTime !== null && nextFundingTime <= fundingTime) {
    throw new Refused('bad_time', 'nextFundingTime is not behind fundingTime')
  }
  return {
    ...{ fundingTime, rate: rate(fields, 'rate')!, intervalHours: interval(fields) },
    ...{ markPrice: price(fields, 'markPrice'), indexPrice: price(fields, 'indexPrice'), nextFundingTime },
  }
}

function contextOf(fields: Fields) {
  const context = {
    ...{ funding: rate(fields, 'funding'), openInterest: amount(fields, 'openInterest') },
    ...{ oraclePrice: price(fields, 'oraclePrice'), markPrice: price(fields, 'markPrice') },
    ...{ midPrice: price(fields, 'midPrice'), impactPrices: impact(fields) },
    previousDayPrice: price(fields, 'previousDayPrice'),
    dayNotionalVolume: amount(fields, 'dayNotionalVolume'),
    dayBaseVolume: amount(fields, 'dayBaseVolume'),
  }
  if (Object.values(context).some((one) => one !== null)) return context
  throw new Refused('missing_field', `neither a rate nor anything of a context: ${Object.keys(context)}`)
}

const find = (fields: Fields, name: Name): unknown => firstOf(fields, NAMES[name])

function rate(fields: Fields, name: Name): string | null {
  const given = find(fields, name)
  if (given === undefined) return null
  const text = rateText.safeParse(exactText(given))
  if (!text.success) throw new Refused('bad_rate', `${name} is ${shown(given)}`)
  return text.data
}

function price(fields: Fields, name: Name): string | null {
  const given = find(fields, name)
  return given === undefined ? null : positive(given, name)
}

function positive(given: unknown, name: string): string {
  const text = exactText(given)
  if (text === undefined || !(Number(text) > 0)) throw new Refused('bad_price', `${name} is ${shown(given)}`)
  return text
}

function amount(fields: Fields, name: Name): string | null {
  const given = find(fields, name)
  if (given === undefined) return null
  const text = exactText(given)
  if (text === undefined || text.startsWith('-')) {
    throw new Refused('bad_amount', `${name} is ${shown(given)}`)
  }
  return text
}

function impact(fields: Fields): [string, string] | null {
  const given = find(fields, 'impactPrices')
  if (given === undefined) return null
  if (!Array.isArray(given) || given.length !== 2) {
    throw new Refused('bad_shape', 'impactPrices is not [price of a sale, price of a purchase]')
  }
  return [positive(given[0], 'impactPrices.0'), positive(given[1], 'impactPrices.1')]
}

function interval(fields: Fields): number | null {
  const given = find(fields, 'intervalHours')
  if (given === undefined) return null
  const hours = positiveNumber(given)
  if (hours !== undefined && hours <= INTERVAL_MAX_HOURS) return hours
  throw new Refused('bad_amount', `intervalHours is ${shown(given)}`)
}

/** @param from two days behind it are allowed, and all that is in front of it. */
function settlement(fields: Fields, name: Name, from: number): number | null {
  const given = find(fields, name)
  if (given === undefined) return null
  const read = timeOf(given)
  if (read === undefined) throw new Refused('bad_time', `${name} is ${shown(given)}`)
  const time = settlementOf(read)
  if (time < FIRST_FUNDING) throw new Refused('bad_time', `${name} ${shown(given)} is before 2016`)
  if (time > from + AHEAD_MAX_MS)
    throw new Refused('bad_time', `${name} ${shown(given)} is more than two days ahead`)
  return time
}
