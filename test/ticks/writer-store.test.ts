// Ticks that a thread writes keep what the port promises. Reading is asked in sqlite-store.test.ts: it is the same code.
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickReads } from '../../src/ticks/sqlite-reads.ts'
import type { Tick, TickStore } from '../../src/ticks/tick.ts'
import { openTickWriter } from '../../src/ticks/writer.ts'
import { TOGETHER } from './conformance-together.ts'
import { WRITING } from './conformance-writing.ts'
import { folderForTest } from './spill-folder.ts'

describe('ticks in SQLite that a thread writes', () => {
  it.each([...WRITING, ...TOGETHER])('$says', async ({ hold }) => {
    const dir = folderForTest()
    const open = async (): Promise<TickStore> => {
      const reads = openTickReads({ dir, clock: systemClock })
      const writer = openTickWriter({ dir, clock: systemClock, batchMs: 0 })
      const close = async () => {
        await writer.close()
        await reads.close()
      }
      const write = async (ticks: readonly Tick[]) => {
        const { stored, duplicate } = await writer.add(ticks)
        return { stored, duplicate }
      }
      return { ...reads, write, close }
    }
    await expect(hold({ open })).resolves.toBeUndefined()
  })
})
