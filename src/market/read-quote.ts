// One quote as it came from outside: a tick, a book, or either within the envelope of the reference system.
import { type Level, type Quote, symbolName } from '../catalog/index.ts'
import { isSluiceError } from '../kernel/index.ts'
import type { VenueSpec, VenueTable } from '../venues/index.ts'
import type { ChannelFacts } from './input-channel.ts'
import { positiveNumber, timeOf } from './numbers.ts'
import type { Rejection, RejectReason } from './reasons.ts'

export interface ReadRules {
  readonly venues: VenueTable
  /** Levels of each side that are kept; those beyond are neither kept nor looked at. */
  readonly levels: number
}

export interface ReadQuote {
  readonly spec: VenueSpec
  readonly quote: Quote
}

/** Thrown within this file only: a rejection is a value to everyone else. */
class Refused extends Error {
  readonly rejection: Rejection
  constructor(reason: RejectReason, detail: string) {
    super(detail)
    this.rejection = { reason, detail }
  }
}

const AHEAD_MAX_MS = 3_600_000
const BEHIND_MAX_MS = 86_400_000

type Fields = Readonly<Record<string, unknown>>

export function readQuote(
  value: unknown,
  channel: ChannelFacts | undefined,
  now: number,
  rules: ReadRules,
): ReadQuote | Rejection {
  try {
    const fields = fieldsOf(value)
    const spec = venueOf(fields, channel, rules.venues)
    const symbol = symbolOf(fields, channel, spec)
    const { bids, asks } = sidesOf(fields, rules.levels)
    if (bids[0] && asks[0] && bids[0][0] > asks[0][0]) {
      throw new Refused('crossed', `bid ${bids[0][0]} is above ask ${asks[0][0]}`)
    }
    return { spec, quote: { symbol, bids, asks, time: momentOf(fields, now) } }
  } catch (error) {
    if (error instanceof Refused) return error.rejection
    throw error
  }
}

/** The envelope {type, channel, exchange, symbol, data, timestamp, trace_id} is opened. */
function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refused('bad_shape', `a quote is an object, not ${shown(value)}`)
  }
  const outer = value as Fields
  const inner = outer['data']
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? { ...outer, ...inner } : outer
}

const firstOf = (fields: Fields, names: readonly string[]): unknown =>
  names.map((name) => fields[name]).find((value) => value !== undefined && value !== null)

function venueOf(fields: Fields, channel: ChannelFacts | undefined, venues: VenueTable): VenueSpec {
  const given = firstOf(fields, ['venue', 'exchange'])
  const name = given ?? channel?.venue
  if (name === undefined) throw new Refused('missing_field', 'venue is missing')
  const spec = findVenue(venues, name)
  if (!spec)
    throw new Refused('unknown_venue', `venue ${shown(name)}; configured: ${venues.names().join(', ')}`)
  if (channel && findVenue(venues, channel.venue) !== spec) {
    throw new Refused('contradiction', `the channel says venue ${channel.venue}, the message ${spec.name}`)
  }
  return spec
}

// Venues are written in any case by people; two names that differ in case only are told apart by exact spelling.
function findVenue(venues: VenueTable, name: unknown): VenueSpec | undefined {
  if (typeof name !== 'string') return undefined
  const exact = venues.venue(name)
  if (exact) return exact
  const lower = name.toLowerCase()
  const alike = venues.names().find((known) => known.toLowerCase() === lower)
  return alike === undefined ? undefined : venues.venue(alike)
}

function symbolOf(fields: Fields, channel: ChannelFacts | undefined, spec: VenueSpec): string {
  const said = channel?.symbol === undefined ? undefined : canonicalSymbol(channel.symbol)
  const given = fields['symbol'] ?? said
  if (given === undefined) throw new Refused('missing_field', 'symbol is missing')
  const symbol = typeof given === 'string' ? canonicalSymbol(given) : ''
  if (said !== undefined && said !== symbol) {
    throw new Refused('contradiction', `the channel says symbol ${said}, the message ${shown(given)}`)
  }
  if (!symbolName.safeParse(symbol).success || !trades(spec, symbol)) {
    throw new Refused('unknown_symbol', `symbol ${shown(given)} at ${spec.name}`)
  }
  return symbol
}

/** btc-usdt, BTC_USDT and BTC/USDT are one symbol. */
const canonicalSymbol = (text: string): string => text.toUpperCase().replace(/[-_]/, '/')

function trades(spec: VenueSpec, symbol: string): boolean {
  try {
    spec.instrument(symbol)
    return true
  } catch (error) {
    if (isSluiceError(error, 'INSTRUMENT_UNKNOWN')) return false
    throw error
  }
}

function sidesOf(fields: Fields, most: number): { bids: Level[]; asks: Level[] } {
  if (fields['bids'] !== undefined || fields['asks'] !== undefined) {
    return { bids: levelsOf(fields, 'bids', most, -1), asks: levelsOf(fields, 'asks', most, 1) }
  }
  return { bids: [bestOf(fields, 'bid')], asks: [bestOf(fields, 'ask')] }
}

function bestOf(fields: Fields, side: 'bid' | 'ask'): Level {
  const size = firstOf(fields, [`${side}Size`, `${side}_size`, `${side}Volume`, `${side}_volume`])
  if (fields[side] === undefined) throw new Refused('missing_field', `${side} is missing`)
  if (size === undefined) throw new Refused('missing_field', `${side}Size is missing`)
  return levelOf(fields[side], size, side)
}

function levelsOf(fields: Fields, side: 'bids' | 'asks', most: number, direction: 1 | -1): Level[] {
  const given = fields[side]
  if (given === undefined) throw new Refused('missing_field', `${side} is missing`)
  if (!Array.isArray(given)) throw new Refused('bad_shape', `${side} is not an array of [price, size]`)
  const levels: Level[] = []
  for (let i = 0; i < Math.min(given.length, most); i += 1) {
    const pair: unknown = given[i]
    if (!Array.isArray(pair)) throw new Refused('bad_shape', `${side}.${i} is not [price, size]`)
    const level = levelOf(pair[0], pair[1], `${side}.${i}`)
    if (i > 0 && !((level[0] - levels[i - 1]![0]) * direction > 0)) {
      throw new Refused('not_best_first', `${side}.${i} has price ${level[0]} after ${levels[i - 1]![0]}`)
    }
    levels.push(level)
  }
  return levels
}

function levelOf(price: unknown, size: unknown, where: string): Level {
  const [p, q] = [positiveNumber(price), positiveNumber(size)]
  if (p === undefined) throw new Refused('bad_price', `${where} has price ${shown(price)}`)
  if (q === undefined) throw new Refused('bad_size', `${where} has size ${shown(size)}`)
  return [p, q]
}

// A quote of unknown age must not be traded, and two bridges would not agree on a time of their own.
function momentOf(fields: Fields, now: number): number {
  const given = firstOf(fields, ['time', 'timestamp'])
  if (given === undefined)
    throw new Refused('missing_field', 'time is missing (ms since 1970, or ISO 8601 with zone)')
  const time = timeOf(given)
  if (time === undefined) throw new Refused('bad_time', `time ${shown(given)}`)
  if (time > now + AHEAD_MAX_MS)
    throw new Refused('bad_time', `time ${shown(given)} is more than an hour ahead`)
  if (time < now - BEHIND_MAX_MS)
    throw new Refused('bad_time', `time ${shown(given)} is more than a day behind`)
  return time
}

/** Short enough for a line, whatever it is. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : typeof value
  return typeof value === 'number' ? String(value) : text
}
