// What every store refuses, in the same words: a tick that one of them could not give back as it came.
import { SluiceError } from '../kernel/index.ts'
import type { Tick } from './tick.ts'

/** The first time that no store takes, ms: ns since 1970 fill an int64 in April of 2262. */
export const TIME_END = Date.UTC(2262, 0, 1)

// A text of this length is a file name also with every byte written as three.
const TEXT_BYTES_MAX = 64
const UINT32 = 2 ** 32

const CONTROL = /\p{Cc}/u
// Names come again and again; what was checked once is looked up.
const KNOWN_MAX = 10_000
const known = new Set<string>()

/** 1 to 64 bytes of UTF-8 without control characters. */
export function isTickName(text: unknown): text is string {
  if (typeof text !== 'string' || text === '') return false
  if (known.has(text)) return true
  // Half of a surrogate pair has no UTF-8: it would come back as another character.
  if (!text.isWellFormed() || CONTROL.test(text) || Buffer.byteLength(text) > TEXT_BYTES_MAX) return false
  if (known.size >= KNOWN_MAX) known.clear()
  known.add(text)
  return true
}

const isWhole = (value: unknown, end: number): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < end
const isSize = (value: unknown): boolean => value === undefined || Number.isFinite(value)

const NAME = `a text of 1 to ${TEXT_BYTES_MAX} bytes without control characters`
const WHOLE = 'a whole number from 0 to 4,294,967,295'
const ALLOWED: Readonly<Record<keyof Tick, string>> = {
  symbol: NAME,
  source: NAME,
  time: 'whole ms since 1970, before 2262',
  nanos: 'a whole number from 0 to 999,999',
  sequence: WHOLE,
  bid: 'a finite number',
  ask: 'a finite number',
  bidSize: 'a finite number or undefined',
  askSize: 'a finite number or undefined',
  volume: 'a finite number',
  flags: WHOLE,
  broker: `empty or ${NAME}`,
}

function wrongField(tick: Tick): keyof Tick | undefined {
  if (!isTickName(tick.symbol)) return 'symbol'
  if (!isTickName(tick.source)) return 'source'
  if (!isWhole(tick.time, TIME_END)) return 'time'
  if (!isWhole(tick.nanos, 1_000_000)) return 'nanos'
  if (!isWhole(tick.sequence, UINT32)) return 'sequence'
  if (!Number.isFinite(tick.bid)) return 'bid'
  if (!Number.isFinite(tick.ask)) return 'ask'
  if (!isSize(tick.bidSize)) return 'bidSize'
  if (!isSize(tick.askSize)) return 'askSize'
  if (!Number.isFinite(tick.volume)) return 'volume'
  if (!isWhole(tick.flags, UINT32)) return 'flags'
  if (tick.broker !== '' && !isTickName(tick.broker)) return 'broker'
  return undefined
}

/** What is wrong with it, in words; undefined for a tick that can be stored. */
export function tickProblem(tick: Tick): string | undefined {
  const field = wrongField(tick)
  return field && `${field} is ${shown(tick[field])}; it must be ${ALLOWED[field]}`
}

const shown = (value: unknown): string =>
  (typeof value === 'string' ? JSON.stringify(value) : String(value)).slice(0, 100)

/** Throws PAYLOAD_INVALID for the first that cannot be stored; then nothing of the list is. */
export function checkTicks(ticks: readonly Tick[]): void {
  for (const [at, tick] of ticks.entries()) {
    const problem = tickProblem(tick)
    if (problem)
      throw new SluiceError('PAYLOAD_INVALID', `Tick ${at + 1} of ${ticks.length}: ${problem}.`, { at })
  }
}

/** Throws USAGE when it is no whole number from 0. */
export function checkCount(count: number | undefined, what: 'count' | 'limit'): void {
  if (count === undefined || (Number.isSafeInteger(count) && count >= 0)) return
  throw new SluiceError('USAGE', `${what} is ${count}; it must be a whole number from 0.`, { [what]: count })
}
