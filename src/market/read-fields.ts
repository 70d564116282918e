// The fields of a message of the outside, whatever it is about: its envelope, its venue, symbol and time.
import { symbolName } from '../catalog/index.ts'
import { isSluiceError } from '../kernel/index.ts'
import type { VenueSpec, VenueTable } from '../venues/index.ts'
import type { ChannelFacts } from './input-channel.ts'
import { timeOf } from './numbers.ts'
import type { Rejection, RejectReason } from './reasons.ts'

/** Thrown by what reads one field; a rejection is a value to everyone else. */
export class Refused extends Error {
  readonly rejection: Rejection
  constructor(reason: RejectReason, detail: string) {
    super(detail)
    this.rejection = { reason, detail }
  }
}

/** What `read` gives, or why it refuses. */
export function attempt<T>(read: () => T): T | Rejection {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refused) return error.rejection
    throw error
  }
}

const AHEAD_MAX_MS = 3_600_000
const BEHIND_MAX_MS = 86_400_000

export type Fields = Readonly<Record<string, unknown>>

/** The envelope {type, channel, exchange, symbol, data, timestamp, trace_id} is opened. */
export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refused('bad_shape', `${what} is an object, not ${shown(value)}`)
  }
  const outer = value as Fields
  const inner = outer['data']
  return typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? { ...outer, ...inner } : outer
}

export const firstOf = (fields: Fields, names: readonly string[]): unknown =>
  names.map((name) => fields[name]).find((value) => value !== undefined && value !== null)

export function venueOf(fields: Fields, channel: ChannelFacts | undefined, venues: VenueTable): VenueSpec {
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

export function symbolOf(fields: Fields, channel: ChannelFacts | undefined, spec: VenueSpec): string {
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

/** When it was said. What is of unknown age must not be used, and two bridges would not agree on a time of their own. */
export function momentOf(fields: Fields, now: number): number {
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
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : typeof value
  return typeof value === 'number' ? String(value) : text
}
