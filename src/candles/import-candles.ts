// Imports candles: lines of CSV become bars. All that can be read is kept, also a bar that contradicts itself, because
// a store that is to equal its files cannot leave lines out; such bars are counted and shown, and put aside when
// `strict` is asked for.
import type { Piece, Quarantined, Subject, Take, TakeContext } from '../imports/index.ts'
import { SluiceError } from '../kernel/index.ts'
import { bucketOf } from './bucket.ts'
import type { Bar, CandleStore, Interval } from './candle.ts'
import { type Dividend, joinDividends } from './dividend.ts'
import { findDividends } from './find-dividends.ts'
import {
  addColumns,
  type ColumnCounts,
  compareColumns,
  hasColumns,
  openTails,
  type SavedTails,
  saveTails,
  type Tails,
} from './import-columns.ts'
import { intervalOf } from './import-interval.ts'
import {
  beginningOf,
  FLAGS,
  isRefused,
  type ReadLine,
  readCandleLine,
  wrongWithHeader,
} from './import-line.ts'
import { addReports, type CandleImportReport, type FlagExample, NOTHING_SAID } from './import-report.ts'
import { isAllowed } from './store-series.ts'
import { powerOfTen } from './units.ts'

type ImportStore = Pick<CandleStore, 'write' | 'range'>

export interface CandleImportOptions {
  /** Not needed in a dry run. */
  readonly store?: ImportStore | undefined
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
  readonly wrongWith: (header: string) => string | undefined
  readonly subjectOf: (piece: Piece, header: string | undefined) => Subject
  readonly onFileEnd: (state: unknown) => void
  /** Of the files that have ended. */
  report(): CandleImportReport
}

/** What is saved with the offset. */
interface Saved {
  readonly interval: Interval
  readonly tails: SavedTails
  readonly report: CandleImportReport
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
  const keep = strict ? putAsideFlagged : (kept: readonly Kept[]) => ({ kept, aside: [] })
  let report = NOTHING_SAID

  return {
    async take(pieces, context) {
      const { kept: readable, quarantined } = readPieces(pieces, context, power, source)
      const { kept, aside } = keep(readable, source)
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
      const known: Saved = saved ?? { interval, tails: saveTails(openTails()), report: NOTHING_SAID }
      const target = context.dryRun ? undefined : store
      const dividends = await noteDividends(bars, known, target, context)
      const tails = openTails(known.tails)
      // Scaled closes do not make the printed columns.
      const columns = power === 0 ? compareAll(bars, kept, tails) : NOTHING_SAID.columns
      const written = await writeOnce(bars, target)
      const superseded = kept.length - written.bars
      const unaligned = bars.filter(({ time }) => bucketOf(interval, time) !== time).length
      const found = { ...flagsOf(kept, context.path), superseded, unaligned, columns, dividends }
      return {
        stored: written.stored,
        duplicate: kept.length - written.stored,
        quarantined: refused,
        state: { interval, tails: saveTails(tails), report: addReports(known.report, found) } satisfies Saved,
      }
    },
    wrongWith: wrongWithHeader,
    subjectOf(piece, header) {
      const line = header === undefined ? undefined : readCandleLine(piece.text, header, 0)
      if (line === undefined) return {}
      const { symbol, time } = isRefused(line) ? line : { symbol: line.bar.ticker, time: line.bar.time }
      return { symbol, source, time }
    },
    onFileEnd(state) {
      const saved = state as Saved | undefined
      if (saved) report = addReports(report, saved.report)
    },
    report: () => report,
  }
}

/** Saved before the old prices are overwritten: who comes after a kill in between could not see them any more. */
async function noteDividends(
  bars: readonly Bar[],
  known: Saved,
  store: ImportStore | undefined,
  { remember }: TakeContext,
): Promise<readonly Dividend[]> {
  const found = store ? await findDividends(store, bars) : []
  if (found.length > 0) {
    const dividends = joinDividends(known.report.dividends, found)
    await remember({ ...known, report: { ...known.report, dividends } } satisfies Saved)
  }
  return found
}

// Of a line that may have a megabyte.
const EXAMPLE_CHARS = 500

function flagsOf(kept: readonly Kept[], path: string): Pick<CandleImportReport, 'flagged' | 'examples'> {
  const examples: FlagExample[] = []
  const flagged = { ...NOTHING_SAID.flagged }
  for (const { piece, line } of kept) {
    for (const flag of line.flags) {
      flagged[flag] += 1
      examples.push({ flag, path, text: piece.text.slice(0, EXAMPLE_CHARS) })
    }
  }
  return { flagged, examples }
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

function compareAll(bars: readonly Bar[], kept: readonly Kept[], tails: Tails): ColumnCounts {
  let sum = NOTHING_SAID.columns
  for (const [i, { line }] of kept.entries()) {
    if (!hasColumns(line.fields)) return sum
    const counts = compareColumns(bars[i]!, line.fields, tails)
    if (counts) sum = addColumns(sum, counts)
  }
  return sum
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
