// What an import of candles says beside its counts: what was kept with a reservation, how far computed columns of the
// files are right, and which prices were adjusted. It is saved with the offset, so that what was found before a kill is
// in the report of the import that goes on.
import { type Dividend, joinDividends } from './dividend.ts'
import { addColumns, type ColumnCounts } from './import-columns.ts'
import type { CandleFlag } from './import-line.ts'

/** Of all files, also of what an interrupted import has read of them. JSON. */
export interface CandleImportReport {
  /** Bars that were kept although they contradict themselves. */
  readonly flagged: Readonly<Record<CandleFlag, number>>
  /** The first of them. */
  readonly examples: readonly FlagExample[]
  /** Lines whose bar a later line of the same batch gave again; they count as duplicates. */
  readonly superseded: number
  /** Bars that do not begin where bars of their interval begin (bucket.ts): they keep the time that is written. */
  readonly unaligned: number
  /** The computed columns of files that have them. */
  readonly columns: ColumnCounts
  readonly dividends: readonly Dividend[]
}

export interface FlagExample {
  readonly flag: CandleFlag
  readonly path: string
  /** Its beginning. */
  readonly text: string
}

// Of each flag.
const EXAMPLES_MAX = 5

export const NOTHING_SAID: CandleImportReport = {
  flagged: { non_positive: 0, inconsistent: 0 },
  examples: [],
  superseded: 0,
  unaligned: 0,
  columns: { compared: 0, different: 0, absent: 0, left: 0 },
  dividends: [],
}

/** @param other what was found behind it. */
export function addReports(one: CandleImportReport, other: CandleImportReport): CandleImportReport {
  const counts = new Map<CandleFlag, number>()
  const isShown = ({ flag }: FlagExample) => {
    counts.set(flag, (counts.get(flag) ?? 0) + 1)
    return counts.get(flag)! <= EXAMPLES_MAX
  }
  return {
    flagged: {
      non_positive: one.flagged.non_positive + other.flagged.non_positive,
      inconsistent: one.flagged.inconsistent + other.flagged.inconsistent,
    },
    examples: [...one.examples, ...other.examples].filter(isShown),
    superseded: one.superseded + other.superseded,
    unaligned: one.unaligned + other.unaligned,
    columns: addColumns(one.columns, other.columns),
    dividends: joinDividends(one.dividends, other.dividends),
  }
}
