// Times of files: with their zone, or in the one that the venue writes.
import { isoTime, SluiceError } from '../kernel/index.ts'

/**
 * Minutes in front of UTC in the histories of these venues as one collector has published them, with three hours that it
 * did not name. The report says at which times of UTC they settle then; whoever has other files says --utc-offset.
 */
const OF_VENUES: Readonly<Record<string, number>> = {
  ...{ binance: 180, bybit: 180, htx: 180, kucoin: 180, mexc: 180 },
  ...{ gate: 0, dydx: 0 },
}

export const isKnownVenue = (name: string): boolean => name.toLowerCase() in OF_VENUES

/** Of the files of a venue, minutes; undefined where it is not known. */
export const offsetOfVenue = (venue: string): number | undefined => OF_VENUES[venue.toLowerCase()]

const OFFSET_MAX = 14 * 60

/** Minutes of `+03:00`, `-5` or `Z`. Throws USAGE. */
export function parseOffset(text: string): number {
  if (text === 'Z') return 0
  const [, sign, hours, minutes = '0'] = /^([+-]?)(\d{1,2})(?::?([0-5]\d))?$/.exec(text) ?? []
  const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
  if (Math.abs(offset) <= OFFSET_MAX) return offset
  const allowed = '+03:00, -5, 0 or Z, up to 14 hours'
  throw new SluiceError('USAGE', `utc-offset is ${JSON.stringify(text)}; allowed: ${allowed}.`)
}

/** `+03:00`. */
export function offsetText(minutes: number): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(hours)}:${two(rest)}`
}

const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?$/
const MILLISECONDS = /^\d{12,14}$/

/**
 * ms UTC of ms since 1970 or ISO 8601, or what is wrong, for a person.
 * @param utcOffset of a time without a zone, minutes.
 */
export function readTime(text: string, utcOffset: number | undefined): number | string {
  if (MILLISECONDS.test(text)) return Number(text)
  const [, day, minute, second = '00', fraction = '', zone] = TIME.exec(text) ?? []
  const local = day === undefined ? Number.NaN : Date.parse(`${day}T${minute}:${second}Z`)
  // V8 takes the 30th of February for the 2nd of March.
  if (Number.isNaN(local) || !isoTime(local).startsWith(day!)) {
    return 'cannot be read; allowed: 2023-12-31 16:00:00, the same with a zone, or ms since 1970'
  }
  const ms = local + Number(fraction.slice(0, 3).padEnd(3, '0'))
  const offset = zone === undefined ? utcOffset : parseOffset(zone)
  if (offset === undefined) return 'has no zone, and that of the file is not known: --utc-offset names it'
  return ms - offset * 60_000
}
