// A tick as files write it: the reference's fields, our own export, or a line of CSV with such a header. Numbers may
// be written as texts, as many exchanges do.
import { isTickName, TIME_END } from './check-tick.ts'
import { parseTime, type TickTime } from './parse-time.ts'
import type { QualityReason } from './quality-reason.ts'
import type { Tick } from './tick.ts'

/** A tick before its place among those of one time is known; undefined where the file does not say. */
export type ReadTick = Omit<Tick, 'sequence'> & { readonly sequence: number | undefined }

export interface Unreadable {
  readonly reason: QualityReason
  readonly detail: string
  /** As far as they could be read. */
  readonly symbol: string | undefined
  readonly source: string | undefined
  readonly time: number | undefined
}

export type TickFields = Readonly<Record<string, unknown>>

// A clock that was never set writes 1970 or the year 1.
const TIME_BEGIN = Date.UTC(1971, 0, 1)
const UINT32 = 2 ** 32
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

export function readTick(fields: TickFields): ReadTick | Unreadable {
  const symbol = fields['symbol']
  const source = fields['lp'] ?? fields['source']
  const written = fields['timestamp'] ?? fields['time']
  const broker = fields['broker_id'] ?? ''
  const { bid, ask } = fields
  const time = timeOf(written)
  const about = () => aboutOf(symbol, source, time)
  if (!isTickName(symbol)) return { ...about(), ...wrong('missing_field', 'symbol', symbol, NAME) }
  if (!isTickName(source)) return { ...about(), ...wrong('missing_field', 'lp', source, NAME) }
  if (!time) return { ...about(), ...wrong('bad_time', 'timestamp', written, TIME) }
  if (broker !== '' && !isTickName(broker)) {
    return { ...about(), ...wrong('missing_field', 'broker_id', broker, NAME) }
  }
  if (isAbsent(bid) || isAbsent(ask))
    return { ...about(), ...wrong('missing_field', 'bid or ask', undefined, '') }
  const tick: ReadTick = {
    symbol,
    source,
    time: time.time,
    nanos: time.nanos,
    sequence: optionalNumber(fields['sequence']),
    bid: numberOf(bid),
    ask: numberOf(ask),
    bidSize: optionalNumber(fields['bid_size']),
    askSize: optionalNumber(fields['ask_size']),
    volume: optionalNumber(fields['volume']) ?? 0,
    flags: optionalNumber(fields['flags']) ?? 0,
    broker,
  }
  const name = wrongNumber(tick)
  if (name === undefined) return tick
  const allowed = name === 'flags' || name === 'sequence' ? WHOLE : 'a finite number'
  return { ...about(), ...wrong('bad_number', name, fields[name], allowed) }
}

const aboutOf = (symbol: unknown, source: unknown, time: TickTime | undefined) => ({
  symbol: typeof symbol === 'string' ? symbol : undefined,
  source: typeof source === 'string' ? source : undefined,
  time: time?.time,
})

/** The name in the file. */
function wrongNumber({ bid, ask, bidSize, askSize, volume, flags, sequence }: ReadTick): string | undefined {
  if (!Number.isFinite(bid)) return 'bid'
  if (!Number.isFinite(ask)) return 'ask'
  if (bidSize !== undefined && !Number.isFinite(bidSize)) return 'bid_size'
  if (askSize !== undefined && !Number.isFinite(askSize)) return 'ask_size'
  if (!Number.isFinite(volume)) return 'volume'
  if (!isUint32(flags)) return 'flags'
  return sequence === undefined || isUint32(sequence) ? undefined : 'sequence'
}

export const isUnreadable = (found: ReadTick | Unreadable): found is Unreadable => 'reason' in found

const NAME = 'a text of 1 to 64 bytes without control characters'
const TIME = 'ISO 8601 with a zone and up to nine digits of a second, or ms since 1970'
const WHOLE = 'a whole number from 0 to 4,294,967,295'

function wrong(reason: QualityReason, name: string, value: unknown, allowed: string) {
  const shown = (JSON.stringify(value) ?? String(value)).slice(0, 100)
  const detail = value === undefined ? `${name} is missing` : `${name} is ${shown}; it must be ${allowed}`
  return { reason, detail }
}

const isAbsent = (value: unknown) => value === undefined || value === ''
const isUint32 = (value: number) => Number.isInteger(value) && value >= 0 && value < UINT32

/** NaN for what is none. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : Number.NaN
}

const optionalNumber = (value: unknown): number | undefined =>
  value === undefined || value === null || value === '' ? undefined : numberOf(value)

function timeOf(written: unknown): TickTime | undefined {
  const time = (typeof written === 'string' ? parseTime(written) : undefined) ?? msOf(numberOf(written))
  return time && time.time >= TIME_BEGIN && time.time < TIME_END ? time : undefined
}

/** A fraction of a millisecond is kept to the microsecond; a float64 holds no more. */
function msOf(ms: number): TickTime | undefined {
  if (!Number.isFinite(ms)) return undefined
  const micros = Math.round(ms * 1_000)
  const time = Math.floor(micros / 1_000)
  return { time, nanos: (micros - time * 1_000) * 1_000 }
}
