// Ticks in files of SQLite keep what the port promises.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import { TICK_PROPERTIES } from './conformance.ts'

describe('ticks in SQLite', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'sluice-ticks-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  it.each(TICK_PROPERTIES)('$says', async ({ hold }) => {
    const open = async () => openSqliteTicks({ dir, clock: systemClock })
    await expect(hold({ open })).resolves.toBeUndefined()
  })
})
