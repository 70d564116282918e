// Ticks that a thread writes keep what the port promises. Reading is asked in sqlite-store.test.ts: it is the same code.
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickKeeper } from '../../src/ticks/index.ts'
import { TOGETHER } from './conformance-together.ts'
import { WRITING } from './conformance-writing.ts'
import { folderForTest } from './spill-folder.ts'

describe('ticks in SQLite that a thread writes', () => {
  it.each([...WRITING, ...TOGETHER])('$says', async ({ hold }) => {
    const dir = folderForTest()
    const open = async () => openTickKeeper({ dir, clock: systemClock, batchMs: 0 })
    await expect(hold({ open })).resolves.toBeUndefined()
  })
})
