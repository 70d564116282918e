// Looks at everything in a day's files: their pages, every block, every tick, and whether all of it adds up.

import { messageOf } from '../kernel/index.ts'
import { runsOf, strandOf } from './archive-compare.ts'
import type { TickColumns } from './columns.ts'
import type { BlockPlace, DayFile, SeriesRow } from './day-file.ts'
import type { DayFiles } from './folder-days.ts'

export interface Verified {
  /** YYYY-MM-DD. */
  readonly day: string
  readonly series: number
  readonly blocks: number
  readonly ticks: number
  /** What is wrong, in words; empty when all is well. */
  readonly problems: readonly string[]
}

// The first of many; one damaged page may spoil thousands of blocks.
const PROBLEMS_MAX = 100

export function verifyFiles(day: string, { open, archive }: DayFiles): Verified {
  const files = [open, archive].filter((file) => file !== undefined)
  const found = { series: 0, blocks: 0, ticks: 0 }
  const problems: string[] = []
  for (const file of files) {
    for (const problem of problemsOf(file, found)) {
      if (problems.length < PROBLEMS_MAX) problems.push(`${file.path}: ${problem}`)
    }
  }
  return { day, ...found, problems }
}

function* problemsOf(
  file: DayFile,
  found: { series: number; blocks: number; ticks: number },
): Generator<string> {
  try {
    // Of one moment: what a worker adds or joins meanwhile is no damage.
    file.statement('begin').run()
    const pages = file.connection.pragma('integrity_check', { simple: true })
    if (pages !== 'ok') yield `SQLite finds ${pages}`
    const rows = file.allSeries()
    let blocks = 0
    for (const row of rows) {
      const { places } = strandOf(file, row)
      blocks += places.length
      found.series++
      found.blocks += places.length
      found.ticks += row.ticks
      for (const problem of problemsOfSeries(file, row, places)) {
        yield `${row.symbol} of ${row.source}: ${problem}`
      }
    }
    const all = file.statement('select count(*) count from blocks').get() as { count: number }
    if (all.count !== blocks) yield `${all.count - blocks} blocks belong to no series`
  } catch (error) {
    yield messageOf(error)
  } finally {
    if (file.connection.inTransaction) file.statement('rollback').run()
  }
}

function* problemsOfSeries(file: DayFile, row: SeriesRow, places: readonly BlockPlace[]): Generator<string> {
  const counted = places.reduce((sum, { count }) => sum + count, 0)
  if (counted !== row.ticks) yield `has ${counted} ticks in its blocks where ${row.ticks} are counted`
  let isReadable = true
  for (const place of places) {
    try {
      const problem = problemOfBlock(file.load(place), place)
      if (problem) yield `block ${place.id} ${problem}`
    } catch (error) {
      isReadable = false
      yield messageOf(error)
    }
  }
  if (!isReadable) return
  let ticks = 0
  let head = ''
  for (const { columns, from, to } of runsOf([file], row)) {
    ticks += to - from
    head = `${columns.time[to - 1]} ${columns.sequence[to - 1]}`
  }
  if (ticks !== row.ticks) yield `has ${ticks} ticks where ${row.ticks} are counted`
  if (head !== `${row.headTime} ${row.headSequence}`) yield 'has another newest tick than is noted'
  if (row.first !== Math.min(...places.map(({ first }) => first)))
    yield 'has another oldest tick than is noted'
}

function problemOfBlock({ count, time, sequence }: TickColumns, place: BlockPlace): string | undefined {
  if (count !== place.count) return `has ${count} ticks where ${place.count} are noted`
  if (time[0] !== place.first || time[count - 1] !== place.last) return 'has other times than are noted'
  for (let i = 1; i < count; i++) {
    if ((time[i]! - time[i - 1]! || sequence[i]! - sequence[i - 1]!) <= 0) return 'is not in order'
  }
  return undefined
}
