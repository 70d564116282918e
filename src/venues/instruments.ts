// Limits as data: text from a table or a file, turned into the decimals that orders are checked against.
import { z } from 'zod'
import { symbolName, venueName } from '../catalog/index.ts'
import { decimal, SluiceError } from '../kernel/index.ts'
import type { Instrument, VenueSpec } from './venue.ts'

const amount = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^\d+(\.\d+)?$/, 'a decimal number written out, such as "0.001"'))
const step = amount.refine((text) => Number(text) > 0, 'more than zero')

/** Tick, lot and minimums as written in a file; the least quantity is one lot when it is left out. */
export const limits = z.strictObject({
  tick: step,
  lot: step,
  minQuantity: amount.optional(),
  minNotional: amount.default('0'),
})
export type Limits = z.input<typeof limits>

/** One venue of VENUES_FILE; docs/VENUES.md explains the fields. */
export const venueEntry = z.strictObject({
  name: venueName,
  takerFeeBps: z.number().min(0).max(1_000),
  instruments: z.array(limits.extend({ symbol: symbolName })).default([]),
  defaultInstrument: limits.optional(),
})
export type VenueEntry = z.output<typeof venueEntry>

export function instrumentOf(symbol: string, given: Limits): Instrument {
  const { tick, lot, minQuantity, minNotional } = limits.parse(given)
  const [base = '', quote = ''] = symbol.split('/')
  return {
    symbol,
    base,
    quote,
    tick: decimal(tick),
    lot: decimal(lot),
    minQuantity: decimal(minQuantity ?? lot),
    minNotional: decimal(minNotional),
  }
}

export interface SpecParts {
  name: string
  kind: VenueSpec['kind']
  takerFeeBps: number
  instruments: readonly Instrument[]
  /** What any other BASE/QUOTE symbol is traded under. */
  defaultLimits?: Limits | undefined
}

export function specOf({ name, kind, takerFeeBps, instruments, defaultLimits }: SpecParts): VenueSpec {
  const bySymbol = new Map(instruments.map((instrument) => [instrument.symbol, instrument]))
  return {
    name,
    kind,
    takerFeeBps,
    symbols: instruments.map((instrument) => instrument.symbol),
    instrument(symbol) {
      const known = bySymbol.get(symbol)
      if (known) return known
      if (!defaultLimits || !symbolName.safeParse(symbol).success) {
        const allowed = defaultLimits ? 'any BASE/QUOTE' : [...bySymbol.keys()].join(', ')
        const message = `${name} does not trade ${JSON.stringify(symbol)}; allowed: ${allowed}`
        throw new SluiceError('INSTRUMENT_UNKNOWN', message, { venue: name, symbol })
      }
      // Not kept: the set of symbols that an outside feed may name has no bound.
      return instrumentOf(symbol, defaultLimits)
    },
  }
}
