// Every venue this installation knows: the built-in ones and those of VENUES_FILE, with FEE_BPS over all fees.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type Config, messageOf, SluiceError } from '../kernel/index.ts'
import { BUILT_IN } from './built-in.ts'
import { instrumentOf, specOf, type VenueEntry, venueEntry } from './instruments.ts'
import type { VenueSpec } from './venue.ts'

export interface VenueTable {
  venue(name: string): VenueSpec | undefined
  /** Throws VENUE_UNKNOWN, naming those that exist. */
  require(name: string): VenueSpec
  names(): readonly string[]
}

const venuesFile = z.strictObject({ venues: z.array(venueEntry) })

/** Throws FILE_NOT_FOUND, or CONFIG_INVALID naming the file and the field. */
export function openVenues(config: Pick<Config, 'VENUES_FILE' | 'FEE_BPS'>): VenueTable {
  const specs = new Map(BUILT_IN.map((spec) => [spec.name, spec]))
  if (config.VENUES_FILE !== '') {
    for (const spec of readVenuesFile(config.VENUES_FILE)) specs.set(spec.name, spec)
  }
  const fee = config.FEE_BPS
  if (fee !== '') for (const [name, spec] of specs) specs.set(name, { ...spec, takerFeeBps: fee })
  return {
    venue: (name) => specs.get(name),
    names: () => [...specs.keys()],
    require(name) {
      const spec = specs.get(name)
      if (spec) return spec
      const message = `No venue ${JSON.stringify(name)}; configured: ${[...specs.keys()].join(', ')}`
      throw new SluiceError('VENUE_UNKNOWN', message, { venue: name })
    },
  }
}

function readVenuesFile(path: string): VenueSpec[] {
  const parsed = venuesFile.safeParse(readJson(path))
  if (!parsed.success) {
    const problems = parsed.error.issues.map((i) => `${path}: ${i.path.join('.') || 'file'}: ${i.message}`)
    throw new SluiceError('CONFIG_INVALID', problems.join('\n'), { path, problems })
  }
  const seen = new Set<string>()
  return parsed.data.venues.map((entry, index) => {
    const where = `${path}: venues.${index}`
    if (seen.has(entry.name)) throw invalid(`${where}.name: ${entry.name} is given twice`, path)
    seen.add(entry.name)
    return specOfEntry(entry, where, path)
  })
}

function specOfEntry(entry: VenueEntry, where: string, path: string): VenueSpec {
  const builtIn = BUILT_IN.find((spec) => spec.name === entry.name)
  // What is simulated must stay recognisable as such, so its name cannot be given to a market.
  if (builtIn?.kind === 'simulated') {
    throw invalid(`${where}.name: ${entry.name} is a simulated venue; choose another name`, path)
  }
  if (entry.instruments.length === 0 && !entry.defaultInstrument) {
    throw invalid(`${where}: give instruments, a defaultInstrument, or both`, path)
  }
  const symbols = entry.instruments.map((instrument) => instrument.symbol)
  const twice = symbols.find((symbol, i) => symbols.indexOf(symbol) !== i)
  if (twice !== undefined) throw invalid(`${where}.instruments: ${twice} is given twice`, path)
  return specOf({
    name: entry.name,
    kind: builtIn?.kind ?? 'fed',
    takerFeeBps: entry.takerFeeBps,
    instruments: entry.instruments.map(({ symbol, ...given }) => instrumentOf(symbol, given)),
    defaultLimits: entry.defaultInstrument,
  })
}

function readJson(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const message = `VENUES_FILE ${path} cannot be read: ${messageOf(error)}`
    throw new SluiceError('FILE_NOT_FOUND', message, { path }, error)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(`${path} is not JSON: ${messageOf(error)}`, path)
  }
}

const invalid = (message: string, path: string) => new SluiceError('CONFIG_INVALID', message, { path })
