// What an import of funding says beside its counts: how the times of each venue's files were read, and which
// settlements have another rate now. It is saved with the offset, so that what was found before a kill is in the report
// of the import that goes on.

/** Of the files of one venue that were read alike. */
export interface VenueReport {
  readonly venue: string
  /** `+03:00`: of times without a zone; null where it is not known. */
  readonly utcOffset: string | null
  /** Who says so. */
  readonly offsetFrom: 'option' | 'venue' | 'nobody'
  /** How often it settles when, UTC: `08:00`. Times that are none of the venue's tell a wrong offset. */
  readonly settlesAt: Readonly<Record<string, number>>
}

export interface CorrectedRate {
  readonly venue: string
  readonly symbol: string
  /** ms UTC. */
  readonly fundingTime: number
  readonly before: string
  readonly rate: string
}

/** JSON. */
export interface FundingImportReport {
  readonly venues: readonly VenueReport[]
  /** Settlements that were stored with another rate, which is replaced. */
  readonly corrected: number
  /** The first of them. */
  readonly examples: readonly CorrectedRate[]
  /** Lines whose settlement a later line of the same batch gave again; they count as duplicates. */
  readonly superseded: number
}

const EXAMPLES_MAX = 5

export const NOTHING_SAID: FundingImportReport = { venues: [], corrected: 0, examples: [], superseded: 0 }

/** @param other what was found behind it. */
export function addReports(one: FundingImportReport, other: FundingImportReport): FundingImportReport {
  const venues = new Map<string, VenueReport>()
  for (const found of [...one.venues, ...other.venues]) {
    const key = `${found.venue} ${found.utcOffset} ${found.offsetFrom}`
    venues.set(key, { ...found, settlesAt: addCounts(venues.get(key)?.settlesAt ?? {}, found.settlesAt) })
  }
  return {
    venues: [...venues.values()],
    corrected: one.corrected + other.corrected,
    examples: [...one.examples, ...other.examples].slice(0, EXAMPLES_MAX),
    superseded: one.superseded + other.superseded,
  }
}

function addCounts(one: VenueReport['settlesAt'], other: VenueReport['settlesAt']) {
  const times = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()
  return Object.fromEntries(times.map((time) => [time, (one[time] ?? 0) + (other[time] ?? 0)]))
}
