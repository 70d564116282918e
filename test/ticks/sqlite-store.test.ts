// Ticks in files of SQLite keep what the port promises.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import { TICK_PROPERTIES } from './conformance.ts'
import { NOON, tick } from './samples.ts'

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

  it('refuse every call once they are closed, and can be closed again', async () => {
    const store = openSqliteTicks({ dir, clock: systemClock })
    await store.write([tick()])
    await store.close()
    const closed = { code: 'USAGE', message: expect.stringContaining('closed') }
    await expect(store.write([tick({ bid: 2 })])).rejects.toMatchObject(closed)
    await expect(store.range({ symbol: 'EURUSD', from: 0, to: NOON * 2 })).rejects.toMatchObject(closed)
    await expect(store.recent('EURUSD', 1)).rejects.toMatchObject(closed)
    await expect(store.series()).rejects.toMatchObject(closed)
    await expect(store.close()).resolves.toBeUndefined()
  })
})
