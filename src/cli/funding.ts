// `sluice funding`: rates that are kept, for a person and for programs.
import type { FundingRow } from '../catalog/index.ts'
import { fundingHistoryOf, latestFundingOf } from '../funding/index.ts'
import { isoTime, SluiceError } from '../kernel/index.ts'
import { beginFeatures } from './begin-features.ts'
import { withPlatform } from './connection.ts'
import { momentOf } from './moment.ts'
import { type Terminal, table } from './terminal.ts'

export interface FundingLatestOptions {
  readonly json?: boolean
}

export interface FundingHistoryOptions {
  readonly json?: boolean
  readonly before?: string
  readonly limit: number
}

export async function showLatestFunding(venue: string | undefined, terminal: Terminal): Promise<void> {
  const rows = await withPlatform(async (platform) => {
    await beginFeatures(platform)
    return platform.database.read((tx) => latestFundingOf(tx, venue))
  })
  tell(rows, `No funding rates${venue === undefined ? '' : ` of ${venue}`}.`, terminal)
}

// 200 bytes each in memory, and nobody reads more of a table.
const LIMIT_MAX = 100_000

/** Throws USAGE. */
export async function showFundingHistory(
  venue: string,
  symbol: string,
  { before, limit }: FundingHistoryOptions,
  terminal: Terminal,
): Promise<void> {
  if (limit > LIMIT_MAX) {
    throw new SluiceError(
      'USAGE',
      `limit is ${limit}; allowed: 1 to ${LIMIT_MAX}. Ask for more with --before.`,
    )
  }
  const page = { venue, symbol, before: before === undefined ? undefined : momentOf('before', before), limit }
  const rows = await withPlatform(async (platform) => {
    await beginFeatures(platform)
    return platform.database.read((tx) => fundingHistoryOf(tx, page))
  })
  tell(rows, `No funding rates of ${symbol} at ${venue}.`, terminal)
}

const HEADERS = ['venue', 'symbol', 'settlement', 'rate', 'hours', 'mark price', 'said']

function tell(rows: readonly FundingRow[], nothing: string, terminal: Terminal): void {
  if (rows.length === 0) terminal.note(nothing, 'nothing')
  terminal.result(rows, () =>
    table(
      HEADERS,
      rows.map((row) => [
        ...[row.venue, row.symbol, isoTime(row.fundingTime), row.rate],
        ...[row.intervalHours ?? '', row.markPrice ?? '', isoTime(row.updatedAt)],
      ]),
    ),
  )
}
