// Imports candles: lines of CSV become bars. All that can be read is kept, also a bar that contradicts itself, because
// a store that is to equal its files cannot leave lines out; such bars are counted and shown, and put aside when
// `strict` is asked for.
import type { Piece, Quarantined, Subject, Take, TakeContext } from '../imports/index.ts'
import { SluiceError } from '../kernel/index.ts'
import type { Bar, CandleStore, Interval } from './candle.ts'
import { compareColumns, hasColumns, type Tails } from './import-columns.ts'
import { intervalOf } from './import-interval.ts'
import { beginningOf, FLAGS, isRefused, type ReadLine, readCandleLine } from './import-line.ts'
import { type CandleImportReport, openTally, type Tally } from './import-report.ts'
import { isAllowed } from './store-series.ts'
import { powerOfTen } from './units.ts'

export interface CandleImportOptions {
  /** Not needed in a dry run. */
  readonly store?: Pick<CandleStore, 'write'> | undefined
  /** What the bars stand under. */
  readonly source: string
  /** Default: by the name of each file or of its folder, else by the distance of its rows. */
  readonly interval?: Interval | undefined
  /** By which prices are multiplied, but not those of indices; a power of ten. Default 1. */
  readonly scale?: number | undefined
  /** Puts aside what is otherwise flagged. */
  readonly strict?: boolean | undefined
}

export interface CandleImport {
  readonly take: Take
  readonly subjectOf: (piece: Piece, header: string | undefined) => Subject
  report(): CandleImportReport
}

/** What is saved with the offset. */
interface Saved {
  readonly interval: Interval
  readonly tails: Tails
}

interface Kept {
  readonly piece: Piece
  readonly line: ReadLine
}

/** For `runImport`; one for each import. Throws USAGE. */
export function openCandleImport(options: CandleImportOptions): CandleImport {
  const { store, source, scale = 1, strict = false } = options
  const power = powerOfTen(scale)
  if (!isAllowed('source', source)) {
    throw new SluiceError('USAGE', `The source ${JSON.stringify(source)} is not allowed.`, { source })
  }
  const tally = openTally()
  const keep = strict ? putAsideFlagged : (kept: readonly Kept[]) => ({ kept, aside: [] })

  return {
    async take(pieces, context) {
      const { kept: readable, quarantined } = readPieces(pieces, context, power, source)
      const { kept, aside } = keep(readable, source)
      for (const { piece, line } of kept) tally.flag(line.flags, context.path, piece.text)
      const saved = context.state as Saved | undefined
      const refused = [...quarantined, ...aside]
      if (kept.length === 0) return { stored: 0, duplicate: 0, quarantined: refused, state: saved }
      const interval = options.interval ?? saved?.interval ?? intervalOf(context.path, kept.map(barOf))
      const bars = kept.map(({ line }) => ({
        ...line.bar,
        source,
        interval,
        time: beginningOf(line, interval),
      }))
      const tails = { ...saved?.tails }
      // Scaled closes do not make the printed columns.
      if (power === 0) compareAll(bars, kept, tails, tally)
      const written = await writeOnce(bars, context.dryRun ? undefined : store)
      tally.superseded(kept.length - written.bars)
      return {
        stored: written.stored,
        duplicate: kept.length - written.stored,
        quarantined: refused,
        state: { interval, tails } satisfies Saved,
      }
    },
    subjectOf(piece, header) {
      const line = header === undefined ? undefined : readCandleLine(piece.text, header, 0)
      if (line === undefined) return {}
      const { symbol, time } = isRefused(line) ? line : { symbol: line.bar.ticker, time: line.bar.time }
      return { symbol, source, time }
    },
    report: tally.report,
  }
}

const barOf = ({ line }: Kept) => line.bar

function readPieces(
  pieces: readonly Piece[],
  { header, path }: TakeContext,
  power: number,
  source: string,
): { kept: Kept[]; quarantined: Quarantined[] } {
  if (header === undefined && pieces.length > 0) {
    throw new SluiceError('USAGE', `${path} is no CSV file; candles are imported from .csv.`, { path })
  }
  const kept: Kept[] = []
  const quarantined: Quarantined[] = []
  for (const piece of pieces) {
    const line = readCandleLine(piece.text, header!, power)
    if (isRefused(line)) quarantined.push({ piece, source, ...line })
    else kept.push({ piece, line })
  }
  return { kept, quarantined }
}

function putAsideFlagged(
  all: readonly Kept[],
  source: string,
): { kept: readonly Kept[]; aside: Quarantined[] } {
  const aside = all.flatMap(({ piece, line: { bar, flags } }): Quarantined[] => {
    const [flag] = flags
    return flag
      ? [{ piece, reason: flag, detail: FLAGS[flag], symbol: bar.ticker, source, time: bar.time }]
      : []
  })
  return { kept: all.filter(({ line }) => line.flags.length === 0), aside }
}

function compareAll(bars: readonly Bar[], kept: readonly Kept[], tails: Tails, tally: Tally): void {
  for (const [i, { line }] of kept.entries()) {
    if (!hasColumns(line.fields)) return
    const counts = compareColumns(bars[i]!, line.fields, tails)
    if (counts) tally.columns(counts)
  }
}

/** Without a store, what would be written. */
async function writeOnce(
  all: readonly Bar[],
  store: Pick<CandleStore, 'write'> | undefined,
): Promise<{ bars: number; stored: number }> {
  const bars = [...new Map(all.map((bar) => [`${bar.ticker} ${bar.time}`, bar])).values()]
  if (!store) return { bars: bars.length, stored: bars.length }
  const { stored, changed } = await store.write(bars)
  return { bars: bars.length, stored: stored + changed }
}
