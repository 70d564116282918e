// Imports the histories of funding rates that venues and collectors publish: lines of CSV, one file a venue. What a
// file says of a settlement that is stored with another rate is a correction, as it is from a feed.
import { basename } from 'node:path'
import { type FundingRow, venueName } from '../catalog/index.ts'
import type { Database } from '../db/index.ts'
import type { Piece, Quarantined, Subject, Take, TakeContext } from '../imports/index.ts'
import { type Clock, isoTime, SluiceError } from '../kernel/index.ts'
import { keepRates } from './book-funding.ts'
import { isRefused, type LineRules, readFundingLine, wrongWithHeader } from './import-line.ts'
import {
  addReports,
  type CorrectedRate,
  type FundingImportReport,
  NOTHING_SAID,
  type VenueReport,
} from './import-report.ts'
import { isKnownVenue, offsetOfVenue, offsetText } from './import-time.ts'
import { keyOf, type RateWritten } from './store-rates.ts'

export interface FundingImportOptions {
  /** Not needed in a dry run. */
  readonly database?: Database | undefined
  readonly clock: Clock
  /** Default: by the name of each file. */
  readonly venue?: string | undefined
  /** Of times without a zone, minutes. Default: that of the venue's files, where it is known. */
  readonly utcOffset?: number | undefined
  /** Of rows that do not say it, hours. */
  readonly intervalHours?: number | undefined
}

export interface FundingImport {
  readonly take: Take
  readonly wrongWith: (header: string) => string | undefined
  readonly subjectOf: (piece: Piece, header: string | undefined) => Subject
  readonly onFileEnd: (state: unknown) => void
  /** Of the files that have ended. */
  report(): FundingImportReport
}

/** For `runImport`; one for each import. Throws USAGE for a venue that is none. */
export function openFundingImport(options: FundingImportOptions): FundingImport {
  const { database, clock, venue } = options
  if (venue !== undefined && !venueName.safeParse(venue).success) {
    throw new SluiceError('USAGE', `The venue ${JSON.stringify(venue)} is not allowed.`, { venue })
  }
  let report = NOTHING_SAID
  return {
    async take(pieces, context) {
      const rules = rulesOf(context.path, options, clock.now())
      const { rows, quarantined } = readPieces(pieces, context, rules)
      // Of two lines about one settlement the later one counts.
      const once = new Map(rows.map((row) => [keyOf(row), row]))
      const written = await write([...once.values()], context.dryRun ? undefined : database)
      const stored = written.filter(({ result }) => result !== 'same').length
      const found: FundingImportReport = {
        venues: [{ ...venueReport(rules, options), settlesAt: settlementsOf(rows) }],
        ...correctionsOf(written),
        superseded: rows.length - once.size,
      }
      const state = addReports((context.state as FundingImportReport | undefined) ?? NOTHING_SAID, found)
      return { stored, duplicate: rows.length - stored, quarantined, state }
    },
    wrongWith: wrongWithHeader,
    subjectOf: () => ({ source: venue }),
    onFileEnd(state) {
      if (state !== undefined) report = addReports(report, state as FundingImportReport)
    },
    report: () => report,
  }
}

function rulesOf(path: string, options: FundingImportOptions, now: number): LineRules {
  const venue = options.venue ?? venueOfFile(path)
  return {
    venue,
    utcOffset: options.utcOffset ?? offsetOfVenue(venue),
    intervalHours: options.intervalHours,
    now,
  }
}

/**
 * Of `BTC-USDT_binance_2020-01-01_2024-01-01_funding_history.csv`: the word behind the symbol, else the first that is a
 * venue whose files are known. Throws USAGE where there is none.
 */
export function venueOfFile(path: string): string {
  const [name = ''] = basename(path).split('.')
  const words = name.split('_')
  const isSymbol = /^[A-Za-z0-9]+-[A-Za-z0-9]+$/.test(words[0] ?? '')
  const venue = (isSymbol ? words[1] : undefined) ?? words.find(isKnownVenue)
  if (venue !== undefined && venueName.safeParse(venue).success) return venue
  const message = `${path} does not name its venue; allowed: --venue, or a name like BTC-USDT_binance_2024.csv.`
  throw new SluiceError('USAGE', message, { path })
}

const venueReport = ({ venue, utcOffset }: LineRules, options: FundingImportOptions) =>
  ({
    venue,
    utcOffset: utcOffset === undefined ? null : offsetText(utcOffset),
    offsetFrom: options.utcOffset !== undefined ? 'option' : utcOffset !== undefined ? 'venue' : 'nobody',
  }) satisfies Partial<VenueReport>

function settlementsOf(rows: readonly FundingRow[]): Record<string, number> {
  const times = Object.groupBy(rows, ({ fundingTime }) => isoTime(fundingTime).slice(11, 16))
  return Object.fromEntries(Object.entries(times).map(([time, found = []]) => [time, found.length]))
}

function readPieces(pieces: readonly Piece[], { header, path }: TakeContext, rules: LineRules) {
  if (header === undefined && pieces.length > 0) {
    throw new SluiceError('USAGE', `${path} is no CSV file; funding rates are imported from .csv.`, { path })
  }
  const rows: FundingRow[] = []
  const quarantined: Quarantined[] = []
  for (const piece of pieces) {
    const line = readFundingLine(piece.text, header!, rules)
    if (isRefused(line)) quarantined.push({ piece, source: rules.venue, ...line })
    else rows.push(line)
  }
  return { rows, quarantined }
}

/** Without a database, what would be written. */
const write = async (rows: readonly FundingRow[], database: Database | undefined): Promise<RateWritten[]> =>
  database && rows.length > 0
    ? database.write((tx) => keepRates(tx, rows))
    : rows.map((row) => ({ row, result: 'new' }))

function correctionsOf(written: readonly RateWritten[]) {
  const examples = written.flatMap(({ row, result, before }): CorrectedRate[] => {
    const { venue, symbol, fundingTime, rate } = row
    return result === 'corrected' ? [{ venue, symbol, fundingTime, before: before!, rate }] : []
  })
  return { corrected: examples.length, examples }
}
