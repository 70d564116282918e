// Exact decimals for everything that is money, an amount or a fee. big.js adds, subtracts and multiplies
// without rounding at any length; only division rounds, so division is kept to `ratio`, which names its places.
import BigJs from 'big.js'

export type Decimal = BigJs
export type DecimalInput = BigJs | string | number

/** Parses a decimal; throws on anything that is not a finite number. A float64 is read by its shortest form. */
export const decimal = (value: DecimalInput): Decimal => new BigJs(value)
export const ZERO: Decimal = new BigJs(0)

/** The largest multiple of `step` that is not above `value` (toward minus infinity). */
export function floorTo(value: Decimal, step: Decimal): Decimal {
  const down = wholeSteps(value, step)
  const floored = down.times(step)
  return floored.gt(value) ? floored.minus(step) : floored
}

/** The smallest multiple of `step` that is not below `value`. */
export function ceilTo(value: Decimal, step: Decimal): Decimal {
  const floored = floorTo(value, step)
  return floored.eq(value) ? floored : floored.plus(step)
}

/** value / by, rounded half-even to `places` decimals: the only division. */
export function ratio(value: Decimal, by: Decimal, places: number): Decimal {
  // One scratch constructor per call would be slow; DP is read at the time of the division.
  Divider.DP = places
  return new BigJs(new Divider(value).div(by))
}

export const minOf = (a: Decimal, b: Decimal): Decimal => (a.lt(b) ? a : b)
export const maxOf = (a: Decimal, b: Decimal): Decimal => (a.gt(b) ? a : b)

/** Canonical text: no exponent, no trailing zero, no minus zero. Equal numbers give equal texts. */
export function decimalText(value: Decimal): string {
  const text = value.toFixed()
  return text === '-0' ? '0' : text
}

// A sign, digits, and an exponent that cannot make a text of a million zeros.
const WRITTEN = /^[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?$/
const CHARACTERS_MAX = 64

/**
 * Canonical text of a number as other programs write it: a JSON number or decimal text, with an exponent or without.
 * Undefined for anything else and for what takes more than 64 characters; no digit is lost.
 */
export function exactText(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || text.length > CHARACTERS_MAX || !WRITTEN.test(text)) return undefined
  const exact = decimalText(decimal(text.replace('+', '')))
  return exact.length > CHARACTERS_MAX ? undefined : exact
}

// Rounds once, in the division itself: rounding its quotient again would round a half that is none.
const Divider = BigJs()
Divider.RM = BigJs.roundHalfEven
const Truncating = BigJs()
Truncating.DP = 0
Truncating.RM = BigJs.roundDown

// A quotient truncated toward zero at no decimals: exact, because big.js divides digit by digit.
const wholeSteps = (value: Decimal, step: Decimal): Decimal => new BigJs(new Truncating(value).div(step))
