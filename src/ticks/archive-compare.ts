// Whether two sets of files hold the same ticks: every field of every tick, in the same order. Nothing is removed that
// was not compared like this, and what is compared is read from the files, not from what was meant to be written.
import { damaged } from './block-damage.ts'
import type { DayFile, SeriesRow } from './day-file.ts'
import { compareText } from './order.ts'
import { mergeRuns, type Run, type Strand } from './read-runs.ts'

export interface SeriesName {
  readonly symbol: string
  readonly source: string
}

/** Every series of the files once, ordered by (symbol, source). */
export function seriesOf(files: readonly DayFile[]): SeriesName[] {
  const known = new Map<string, SeriesName>()
  for (const file of files) {
    for (const { symbol, source } of file.allSeries()) known.set(`${symbol}\n${source}`, { symbol, source })
  }
  return [...known.values()].sort(
    (a, b) => compareText(a.symbol, b.symbol) || compareText(a.source, b.source),
  )
}

/** All ticks of a series in all of the files, each once. */
export function runsOf(files: readonly DayFile[], { symbol, source }: SeriesName): Generator<Run> {
  return mergeRuns(files.flatMap((file) => file.series(symbol, source).map((row) => strandOf(file, row))))
}

export const strandOf = (file: DayFile, { id }: SeriesRow): Strand => ({
  rank: 0,
  places: file.places(id, 0, Number.MAX_SAFE_INTEGER),
  load: file.load,
  fromTime: 0,
  fromSequence: 0,
  toTime: Number.POSITIVE_INFINITY,
})

/** Throws TICKS_DAMAGED at the first difference; returns how many ticks were compared. */
export function compareFiles(sources: readonly DayFile[], target: DayFile): number {
  let ticks = 0
  const names = seriesOf(sources)
  const found = seriesOf([target])
  const where = { path: target.path, sources: sources.map(({ path }) => path) }
  for (const [at, name] of names.entries()) {
    if (name.symbol !== found[at]?.symbol || name.source !== found[at].source) {
      throw damaged(`${target.path} lacks ${name.symbol} of ${name.source}.`, where)
    }
    const compared = compareRuns(runsOf(sources, name), runsOf([target], name))
    const row = target.series(name.symbol, name.source)[0]!
    if (compared.differs || row.ticks !== compared.ticks) {
      const message = `${target.path}: ${name.symbol} of ${name.source} is not what its source holds`
      throw damaged(`${message}, from tick ${compared.ticks + 1} on.`, { ...where, ...name })
    }
    ticks += compared.ticks
  }
  if (found.length === names.length) return ticks
  throw damaged(`${target.path} has series that its source does not have.`, where)
}

function compareRuns(some: Iterator<Run>, others: Iterator<Run>): { ticks: number; differs: boolean } {
  let ticks = 0
  let a = openRun(some)
  let b = openRun(others)
  while (a && b) {
    const count = Math.min(a.run.to - a.at, b.run.to - b.at)
    const same = countSame(a.run, a.at, b.run, b.at, count)
    ticks += same
    if (same < count) return { ticks, differs: true }
    a.at += count
    b.at += count
    if (a.at === a.run.to) a = openRun(some)
    if (b.at === b.run.to) b = openRun(others)
  }
  return { ticks, differs: a !== undefined || b !== undefined }
}

function openRun(runs: Iterator<Run>): { run: Run; at: number } | undefined {
  const next = runs.next()
  return next.done ? undefined : { run: next.value, at: next.value.from }
}

function countSame({ columns: a }: Run, i: number, { columns: b }: Run, j: number, count: number): number {
  const brokers = a.brokers.map((name) => b.brokers.indexOf(name))
  for (let k = 0; k < count; k++) {
    const x = i + k
    const y = j + k
    if (
      a.time[x] !== b.time[y] ||
      a.sequence[x] !== b.sequence[y] ||
      !Object.is(a.bid[x], b.bid[y]) ||
      !Object.is(a.ask[x], b.ask[y]) ||
      !Object.is(a.bidSize[x], b.bidSize[y]) ||
      !Object.is(a.askSize[x], b.askSize[y]) ||
      !Object.is(a.volume[x], b.volume[y]) ||
      a.flags[x] !== b.flags[y] ||
      brokers[a.broker[x]!] !== b.broker[y]
    ) {
      return k
    }
  }
  return count
}
