// Times as arguments.
import { SluiceError } from '../kernel/index.ts'

/** ms UTC. Throws USAGE, which names the option. */
export function momentOf(name: string, text: string): number {
  const ms = /^\d{10,15}$/.test(text)
    ? Number(text)
    : /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text)
      ? Date.parse(text)
      : Number.NaN
  if (Number.isFinite(ms)) return ms
  const allowed = 'ISO 8601 with its zone (2026-01-19T09:00:00Z), or ms since 1970'
  throw new SluiceError('USAGE', `${name} is ${JSON.stringify(text)}; allowed: ${allowed}.`)
}
