// `sluice import funding`: histories of funding rates, one CSV file a venue.
import { type FundingImportReport, openFundingImport, parseOffset, venueOfFile } from '../funding/index.ts'
import { listImportFiles } from '../imports/index.ts'
import { isoTime } from '../kernel/index.ts'
import { withPlatform } from './connection.ts'
import { type ExitCode, type ImportArguments, type Job, run, tell } from './import.ts'
import { whole } from './progress-line.ts'
import { stopSignal } from './stop-signal.ts'
import type { Terminal } from './terminal.ts'

export interface FundingImportArguments extends ImportArguments {
  readonly venue?: string
  readonly utcOffset?: string
  readonly intervalHours?: number
}

/** Answers the exit code: 1 when it was stopped, or a file could not be read to its end. */
export async function importFunding(
  path: string,
  { venue, utcOffset, intervalHours, ...options }: FundingImportArguments,
  terminal: Terminal,
  listen = stopSignal,
): Promise<ExitCode> {
  const files = await listImportFiles(path, ['csv'])
  // Before anything is stored: the last of a thousand files may not say whose it is.
  if (venue === undefined) for (const file of files) venueOfFile(file.path)
  const offset = utcOffset === undefined ? undefined : parseOffset(utcOffset)
  return withPlatform(async (platform) => {
    const { clock, database } = platform
    const { report: reportOf, ...parts } = openFundingImport({
      ...{ database: options.dryRun ? undefined : database, clock, venue, utcOffset: offset, intervalHours },
    })
    const settings = { venue, utcOffset: offset, intervalHours }
    const job: Job = { kind: 'funding', files, settings, ...parts }
    const result = await run(platform, job, options, { terminal, listen })
    const report = reportOf()
    if (!terminal.json) noteReport(report, terminal)
    return tell({ kind: 'funding', path, ...result, report }, options, terminal)
  })
}

const SAYS = {
  option: 'as --utc-offset says',
  venue: 'as files of this venue are known',
  nobody: 'times without a zone are quarantined: --utc-offset names it',
} as const
// One that settles every hour tells nothing by its hours.
const SHOWN_MAX = 8

function noteReport({ venues, corrected, examples, superseded }: FundingImportReport, terminal: Terminal) {
  for (const { venue, utcOffset, offsetFrom, settlesAt } of venues) {
    const times = Object.entries(settlesAt).map(([time, count]) => `${time} × ${whole(count)}`)
    const shown = times.length > SHOWN_MAX ? `${times.length} times of a day` : times.join(', ')
    const settles = shown === '' ? '' : `; settles at ${shown} (UTC)`
    terminal.note(`${venue}: ${utcOffset ?? 'no offset'}, ${SAYS[offsetFrom]}${settles}`)
  }
  if (superseded > 0) terminal.note(`given again by a later line, which counts: ${whole(superseded)}`)
  if (corrected > 0) terminal.note(`stored with another rate before, which is replaced: ${whole(corrected)}`)
  for (const { venue, symbol, fundingTime, before, rate } of examples) {
    terminal.note(`  ${venue} ${symbol} ${isoTime(fundingTime)}: ${before} is ${rate} now`)
  }
}
