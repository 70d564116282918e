// Times as tick recordings print them: ISO 8601 with up to 7 digits of a second and a zone.
const PATTERN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/

export interface TickTime {
  /** Nanoseconds since 1970 UTC, exact: what equality and order are decided on. */
  readonly nanos: bigint
  /**
   * The same in ms. A float64 of today's size holds steps of 2^-12 ms, so two times that are 100 ns apart may
   * become one number here.
   */
  readonly ms: number
}

/** Undefined when the text is no time. */
export function parseTickTime(text: unknown): TickTime | undefined {
  const match = typeof text === 'string' ? PATTERN.exec(text) : null
  if (!match) return undefined
  const [, seconds, fraction = '', zone] = match
  const wholeMs = Date.parse(`${seconds}${zone}`)
  if (Number.isNaN(wholeMs)) return undefined
  const nanos = Number(fraction.padEnd(9, '0'))
  return { nanos: BigInt(wholeMs) * 1_000_000n + BigInt(nanos), ms: wholeMs + nanos / 1e6 }
}
