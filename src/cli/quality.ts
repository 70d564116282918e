// `sluice quality report`: how good the stored ticks are, day by day.
import { type QualityReport, type QualityRow, reportQuality } from '../ticks/index.ts'
import { beginFeatures } from './begin-features.ts'
import { withPlatform } from './connection.ts'
import { duration } from './progress-line.ts'
import { type Terminal, table } from './terminal.ts'

export interface QualityArguments {
  readonly json?: boolean
  readonly day?: string
  readonly symbol?: string
}

const HEADERS = [
  ...['day', 'symbol', 'source', 'ticks', 'gaps', 'longest', 'quarantined'],
  ...['min spread', 'avg', 'max', 'score'],
]

export async function showQuality({ day, symbol }: QualityArguments, terminal: Terminal): Promise<void> {
  const { rows, unplaced } = await withPlatform(async (platform) => {
    await beginFeatures(platform, 'ticks')
    const { database, ticks, clock } = platform
    return reportQuality({ database, store: ticks, clock, day, symbol })
  })
  if (terminal.json) for (const row of rows) terminal.result(row, '')
  else if (rows.length === 0) terminal.result([], 'no ticks')
  else terminal.result(rows, () => table(HEADERS, rows.map(cellsOf)))
  const text = countsText(unplaced)
  if (text !== '') {
    const note = `in quarantine without a symbol, source or time that could be read: ${text}`
    terminal.note(note, 'unplaced', { unplaced } satisfies Pick<QualityReport, 'unplaced'>)
  }
}

const cellsOf = ({ minSpread, avgSpread, maxSpread, ...row }: QualityRow) => [
  ...[row.day, row.symbol, row.source, row.ticks, row.gaps],
  row.gaps === 0 ? '-' : duration(row.maxGapMs),
  countsText(row.quarantined),
  ...[minSpread, avgSpread, maxSpread].map((spread) => (spread === null ? '-' : spread.toPrecision(3))),
  row.score.toFixed(1),
]

const countsText = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')
