// Numbers and times as outside programs write them: JSON numbers or texts.
const DECIMAL = /^\d+(\.\d+)?([eE][+-]?\d+)?$/
// A text without a zone means another moment on every machine, so it is not accepted.
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/

/** Above zero and finite, or undefined. Texts are decimal; '' and ' 1' are not numbers. */
export function positiveNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : value
  return typeof number === 'number' && number > 0 && Number.isFinite(number) ? number : undefined
}

/** ms UTC, with the microseconds as fraction, from a number of ms, such a number as text, or ISO 8601 with a zone. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || DECIMAL.test(value)) return positiveNumber(value)
  if (!ISO_TIME.test(value)) return undefined
  // Whole ms: Date drops the digits behind them.
  const parsed = Date.parse(value)
  const micros = /\.\d{3}(\d{1,3})/.exec(value)?.[1] ?? ''
  return Number.isNaN(parsed) ? undefined : parsed + Number(micros.padEnd(3, '0')) / 1_000
}
