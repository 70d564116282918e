// The store of ticks in SQLite as a process uses it: writing goes to a thread of its own, reading is done here in turns
// of a few ms.
import { openTickReads } from './sqlite-reads.ts'
import type { TickStore } from './tick.ts'
import { openTickWriter, type TickWriter, type TickWriterOptions } from './writer.ts'

export interface TickKeeper extends TickStore {
  /** For health and counts, and for adding without counting duplicates. */
  readonly writer: TickWriter
}

/**
 * What is written can be read once it is confirmed; with `full: 'spill'` a part may follow later, and counts as stored
 * meanwhile.
 */
export function openTickKeeper(options: TickWriterOptions): TickKeeper {
  const reads = openTickReads({ dir: options.dir, clock: options.clock })
  const writer = openTickWriter(options)
  return {
    ...reads,
    writer,
    async write(ticks) {
      const { stored, duplicate, spilled } = await writer.add(ticks)
      return { stored: stored + spilled, duplicate }
    },
    async close() {
      await writer.close()
      await reads.close()
    },
  }
}
