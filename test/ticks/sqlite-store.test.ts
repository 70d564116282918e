// Ticks in files of SQLite keep what the port promises.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import SqliteFile from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import type { TickStore } from '../../src/ticks/tick.ts'
import { TICK_PROPERTIES } from './conformance.ts'
import { NOON, tick } from './samples.ts'

/** SQLite keeps one beside each file that is open, until the last one closes it. */
const logsIn = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('-wal'))

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

  const ASKS: Record<string, (store: TickStore) => Promise<unknown>> = {
    range: (store) => store.range({ symbol: 'EURUSD', from: 0, to: NOON * 2 }),
    recent: (store) => store.recent('EURUSD', 1),
    series: (store) => store.series(),
  }
  it.each(Object.keys(ASKS))(
    'leave the loop free while a file is replaced, and answer then: %s',
    async (ask) => {
      const writer = openSqliteTicks({ dir, clock: systemClock })
      await writer.write([tick()])
      await writer.close()
      const store = openSqliteTicks({ dir, clock: systemClock })
      const replacing = new SqliteFile(join(dir, 'days.lock'))
      const whileShut = async <T>(work: () => Promise<T>): Promise<T> => {
        replacing.exec('begin exclusive')
        let isOver = false
        const result = work().finally(() => {
          isOver = true
        })
        // A loop that was blocked comes here after the end, which would be DATABASE_BUSY.
        await setImmediate()
        expect(isOver).toBe(false)
        replacing.exec('commit')
        return result
      }
      expect(await whileShut(() => ASKS[ask]!(store))).toEqual([
        expect.objectContaining({ symbol: 'EURUSD' }),
      ])
      expect(logsIn(dir)).not.toEqual([])
      await whileShut(() => store.close())
      replacing.close()
      expect(logsIn(dir)).toEqual([])
    },
  )

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
