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
  const time = timeOf(fields)
  const refused = (reason: QualityReason, detail: string): Unreadable => ({
    ...{ reason, detail, time: time?.time },
    symbol: typeof symbol === 'string' ? symbol : undefined,
    source: typeof source === 'string' ? source : undefined,
  })
  if (!isTickName(symbol)) return refused('missing_field', wrong('symbol', symbol, NAME))
  if (!isTickName(source)) return refused('missing_field', wrong('lp', source, NAME))
  if (!time) return refused('bad_time', wrong('timestamp', fields['timestamp'] ?? fields['time'], TIME))
  const broker = fields['broker_id'] ?? ''
  if (broker !== '' && !isTickName(broker)) return refused('missing_field', wrong('broker_id', broker, NAME))
  const [bid, ask] = [fields['bid'], fields['ask']]
  if (isAbsent(bid) || isAbsent(ask)) return refused('missing_field', 'bid or ask is missing')
  const numbers: Numbers = {
    bid: numberOf(bid),
    ask: numberOf(ask),
    bidSize: optionalNumber(fields['bid_size']),
    askSize: optionalNumber(fields['ask_size']),
    volume: optionalNumber(fields['volume']) ?? 0,
    flags: optionalNumber(fields['flags']) ?? 0,
    sequence: optionalNumber(fields['sequence']),
  }
  const name = wrongNumber(numbers)
  if (name === undefined) return { symbol, source, time: time.time, nanos: time.nanos, ...numbers, broker }
  const allowed = name === 'flags' || name === 'sequence' ? WHOLE : 'a finite number'
  return refused('bad_number', wrong(name, fields[name], allowed))
}

type Numbers = Pick<ReadTick, 'bid' | 'ask' | 'bidSize' | 'askSize' | 'volume' | 'flags' | 'sequence'>

/** The name in the file. */
function wrongNumber(numbers: Numbers): string | undefined {
  const { bid, ask, bidSize, askSize, volume, flags, sequence } = numbers
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

const wrong = (name: string, value: unknown, allowed: string) =>
  value === undefined
    ? `${name} is missing`
    : `${name} is ${(JSON.stringify(value) ?? String(value)).slice(0, 100)}; it must be ${allowed}`

const isAbsent = (value: unknown) => value === undefined || value === ''
const isUint32 = (value: number) => Number.isInteger(value) && value >= 0 && value < UINT32

/** NaN for what is none. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : Number.NaN
}

const optionalNumber = (value: unknown): number | undefined =>
  value === undefined || value === null || value === '' ? undefined : numberOf(value)

function timeOf(fields: TickFields): TickTime | undefined {
  const written = fields['timestamp'] ?? fields['time']
  const time =
    typeof written === 'string' && !NUMBER.test(written) ? parseTime(written) : msOf(numberOf(written))
  return time && time.time >= TIME_BEGIN && time.time < TIME_END ? time : undefined
}

/** A fraction of a millisecond is kept to the microsecond; a float64 holds no more. */
function msOf(ms: number): TickTime | undefined {
  if (!Number.isFinite(ms)) return undefined
  const micros = Math.round(ms * 1_000)
  const time = Math.floor(micros / 1_000)
  return { time, nanos: (micros - time * 1_000) * 1_000 }
}
