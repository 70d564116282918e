// How a value looks between the program and a column. Both dialects go through these, so a number that one of
// them would round, or a text that is no number, is refused before it is written.

/**
 * The canonical text of a decimal: no exponent, no plus sign, no leading or trailing zeros, no minus zero. Equal
 * numbers have equal texts in both databases ('9.500000', as Postgres may answer, is '9.5').
 */
export function canonicalDecimal(text: string): string {
  const match = /^([-+]?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(text)
  if (!match) throw new RangeError(`${JSON.stringify(text)} is not a decimal; allowed: digits, as in -12.5`)
  const [, sign, whole, fraction] = match
  const digits = fraction ? `${whole}.${fraction}` : whole!
  return sign === '-' && digits !== '0' ? `-${digits}` : digits
}

/** A whole number that a float64 holds exactly; Postgres answers int8 as text, SQLite as bigint. */
export function wholeNumber(value: number | bigint | string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) {
    throw new RangeError(`${value} is not a whole number between -(2^53 - 1) and 2^53 - 1`)
  }
  return number
}

/** Neither database keeps NaN alike (SQLite turns it into NULL), so a float is finite. */
export function finiteNumber(value: number | string): number {
  const number = Number(value)
  if (!Number.isFinite(number)) throw new RangeError(`${value} is not a finite number`)
  return number
}
