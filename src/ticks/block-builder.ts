// Puts runs of ticks together to full blocks.

import { appendColumns, BLOCK_TICKS_MAX, openColumns, type TickColumns } from './columns.ts'
import type { Run } from './read-runs.ts'

/** Calls `add` with up to BLOCK_TICKS_MAX ticks at a time, in columns that are used again afterwards. */
export function buildBlocks(
  runs: Iterable<Run>,
  add: (columns: TickColumns, from: number, to: number) => void,
): void {
  const block = openColumns(BLOCK_TICKS_MAX)
  const finish = () => {
    if (block.count > 0) add(block, 0, block.count)
    block.count = 0
    block.brokers = []
  }
  for (const { columns, from, to } of runs) {
    for (let at = from; at < to; ) {
      const end = Math.min(to, at + BLOCK_TICKS_MAX - block.count)
      appendColumns(block, columns, at, end)
      at = end
      if (block.count === BLOCK_TICKS_MAX) finish()
    }
  }
  finish()
}
