// Each write appends a block to every series that it has ticks of; at one tick a second that would be 86,400 blocks a
// day. So 64 blocks of a few ticks become one of some, and 64 of some become full ones: each tick is rewritten at most
// twice, and a day is read from about a hundred and fifty blocks.
import { buildBlocks } from './block-builder.ts'
import type { BlockPlace, DayFile, SeriesRow } from './day-file.ts'
import { addBlock } from './day-file-changes.ts'
import { mergeRuns } from './read-runs.ts'

const BLOCKS_MAX = 64

/** Merges the small blocks of a series where there are too many; returns how many ticks it moved. */
export function compactSeries(file: DayFile, row: SeriesRow): number {
  let moved = 0
  if (row.few > BLOCKS_MAX) {
    row.few = 0
    moved += mergeTier(file, row, 0)
  }
  if (row.some > BLOCKS_MAX) {
    row.some = 0
    moved += mergeTier(file, row, 1)
  }
  return moved
}

function mergeTier(file: DayFile, row: SeriesRow, tier: number): number {
  const places = file
    .statement('select id, first, last, count from blocks where series = ? and tier = ?')
    .all(row.id, tier) as BlockPlace[]
  const strand = {
    rank: 0,
    places,
    load: file.load,
    fromTime: 0,
    fromSequence: 0,
    toTime: Number.POSITIVE_INFINITY,
  }
  buildBlocks(mergeRuns([strand]), (columns, from, to) => addBlock(file, row, columns, from, to, false))
  const remove = file.statement('delete from blocks where id = ?')
  for (const { id } of places) remove.run(id)
  return places.reduce((sum, { count }) => sum + count, 0)
}
