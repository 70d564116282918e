// What an import of candles says beside its counts: what was kept with a reservation, and how far computed columns of
// the files are right.
import type { ColumnCounts } from './import-columns.ts'
import type { CandleFlag } from './import-line.ts'

/** Of this run, and of a file with which it went on. */
export interface CandleImportReport {
  /** Bars that were kept although they contradict themselves. */
  readonly flagged: Readonly<Record<CandleFlag, number>>
  /** The first of them. */
  readonly examples: readonly FlagExample[]
  /** Lines whose bar a later line of the same batch gave again; they count as duplicates. */
  readonly superseded: number
  /** The computed columns of files that have them. */
  readonly columns: ColumnCounts
}

interface FlagExample {
  readonly flag: CandleFlag
  readonly path: string
  readonly text: string
}

export interface Tally {
  flag(flags: readonly CandleFlag[], path: string, text: string): void
  columns(counts: ColumnCounts): void
  superseded(lines: number): void
  report(): CandleImportReport
}

// Of each flag.
const EXAMPLES_MAX = 5

export function openTally(): Tally {
  const flagged: Record<CandleFlag, number> = { non_positive: 0, inconsistent: 0 }
  const examples: FlagExample[] = []
  let columns: ColumnCounts = { compared: 0, different: 0, absent: 0 }
  let superseded = 0
  return {
    flag(flags, path, text) {
      for (const flag of flags) {
        flagged[flag] += 1
        if (flagged[flag] <= EXAMPLES_MAX) examples.push({ flag, path, text })
      }
    },
    columns({ compared, different, absent }) {
      columns = {
        compared: columns.compared + compared,
        different: columns.different + different,
        absent: columns.absent + absent,
      }
    },
    superseded(lines) {
      superseded += lines
    },
    report: () => ({ flagged: { ...flagged }, examples: [...examples], superseded, columns }),
  }
}
