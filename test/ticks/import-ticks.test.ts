// Files become ticks: what a file says is stored as it says it, what cannot be used is told why, and a kill changes
// nothing of either.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { asc, type Database } from '../../src/db/index.ts'
import { type ImportOptions, listImportFiles, runImport } from '../../src/imports/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickImport } from '../../src/ticks/import-ticks.ts'
import { openPostgresTicks } from '../../src/ticks/postgres-ticks.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import type { Tick, TickStore } from '../../src/ticks/tick.ts'
import { TICK_CSV_HEADER, tickCsv, tickJson } from '../../src/ticks/tick-json.ts'
import { type Folder, openFolder } from '../imports/rig.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

const NOW = Date.UTC(2026, 0, 19, 12)
const tick = (more: Partial<Tick> = {}): Tick => ({
  ...{ symbol: 'EURUSD', source: 'LP', time: NOW, nanos: 500, sequence: 0, bid: 1.1, ask: 1.2 },
  ...{ bidSize: undefined, askSize: undefined, volume: 0, flags: 0, broker: '' },
  ...more,
})

async function importAll(
  path: string,
  store: TickStore,
  database: Database,
  more: Partial<ImportOptions> & { jumpPct?: number } = {},
) {
  const { jumpPct = 0, ...options } = more
  const parts = openTickImport({ store, clock: systemClock, jumpPct })
  const files = await listImportFiles(path)
  return runImport({ files, database, clock: systemClock, kind: 'ticks', ...parts, ...options })
}

const all = (store: TickStore, symbol = 'EURUSD') => store.range({ symbol, from: 0, to: NOW * 2 })
const quarantine = (database: Database) =>
  database.read(({ sql, t }) => sql.select().from(t.quarantine).orderBy(asc(t.quarantine.position)))

describe.each(drivers)('an import of ticks on %s', (driver) => {
  let test: TestDatabase
  let folder: Folder
  let store: TickStore
  beforeEach(async () => {
    test = await openTestDatabase(driver)
    folder = openFolder()
    store =
      driver === 'sqlite'
        ? openSqliteTicks({ dir: join(folder.path, 'store'), clock: systemClock })
        : openPostgresTicks({ url: test.options.url!, clock: systemClock })
  })
  afterEach(async () => {
    await store.close()
    await test.close()
    folder.remove()
  })

  it('brings back what was exported, as JSON and as CSV', async () => {
    const ticks = [
      tick({ bid: 0.1 + 0.2, ask: 0.31, broker: 'a,"b"' }),
      tick({ sequence: 1, bidSize: 5, askSize: 0, volume: 7.5, flags: 2 ** 32 - 1 }),
      tick({ sequence: 2 }),
      tick({ source: 'other', sequence: 4 }),
      tick({ time: NOW + 1, nanos: 999_999 }),
    ]
    folder.file('a.json', JSON.stringify(ticks.map(tickJson)))
    folder.file('b.csv', TICK_CSV_HEADER + ticks.map(tickCsv).join(''))
    const result = await importAll(folder.path, store, test.database)
    expect(result).toMatchObject({ read: 10, stored: 5, duplicate: 5, quarantined: {} })
    expect(await all(store)).toEqual(ticks)
  })

  it('tells apart what cannot be read, and says what each was', async () => {
    const good = { symbol: 'EURUSD', lp: 'LP', bid: 1, ask: 1, timestamp: '2026-01-19T12:00:00Z' }
    const lines: [unknown, string?][] = [
      [good],
      [{ ...good, timestamp: '2026-01-19T12:00:00.123456789+05:30', bid: '1.0', ask: '1e0' }],
      [{ ...good, timestamp: NOW + 0.25 }],
      [{ ...good, bid: null }, 'bad_number'],
      [{ ...good, bid: 'a' }, 'bad_number'],
      [{ ...good, volume: {} }, 'bad_number'],
      [{ ...good, flags: -1 }, 'bad_number'],
      [{ ...good, ask: undefined }, 'missing_field'],
      [{ ...good, symbol: '' }, 'missing_field'],
      [{ ...good, lp: 7 }, 'missing_field'],
      [{ ...good, timestamp: '2026-02-30T12:00:00Z' }, 'bad_time'],
      [{ ...good, timestamp: '2026-01-19T12:00:00' }, 'bad_time'],
      [{ ...good, timestamp: '0001-01-01T00:00:00Z' }, 'bad_time'],
      [{ ...good, timestamp: 1_768_824_000 }, 'bad_time'],
      [{ ...good, timestamp: undefined }, 'bad_time'],
      [[good], 'not_json'],
      ['{"symbol":"EURUSD","lp":"LP","timestamp":"2026-01-19T12:00:00Z","bid":NaN,"ask":1}', 'bad_number'],
      ['{"symbol":tru}', 'not_json'],
    ]
    const texts = lines.map(([line]) => (typeof line === 'string' ? line : JSON.stringify(line)))
    const path = folder.file('a.jsonl', texts.join('\n'))
    await importAll(path, store, test.database)
    const rows = await quarantine(test.database)
    const refused = lines.flatMap(([, reason], at) => (reason ? [[texts[at], reason]] : []))
    expect(rows.map(({ text, reason }) => [text, reason])).toEqual(refused)
    expect(rows[0]).toMatchObject({ symbol: 'EURUSD', source: 'LP', time: NOW })
    expect((await all(store)).map(({ time, nanos }) => [time - NOW, nanos])).toEqual([
      [-19_800_000 + 123, 456_789],
      [0, 0],
      [0, 250_000],
    ])
  })

  it('says of a line of CSV that it has another number of fields than its header', async () => {
    const path = folder.file(
      'a.csv',
      'Symbol,Source,Time,Bid,Ask\nEURUSD,LP,2026-01-19T12:00:00Z,1,2\nEURUSD,LP\n"a",b,c,1,2,3\n',
    )
    const { quarantined, stored } = await importAll(path, store, test.database, { jumpPct: 0 })
    expect({ quarantined, stored }).toEqual({ quarantined: { field_count: 2, wide_spread: 1 }, stored: 0 })
  })
})

describe('an import of ticks that dies', () => {
  let test: TestDatabase
  const folders: string[] = []
  beforeAll(async () => {
    test = await openTestDatabase('sqlite')
  })
  afterAll(async () => {
    await test.close()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  const openStore = () => {
    folders.push(mkdtempSync(join(tmpdir(), 'sluice-import-')))
    return openSqliteTicks({ dir: folders.at(-1)!, clock: systemClock })
  }
  const stored = async (store: TickStore) => ({ ticks: await all(store), other: await all(store, 'GBPUSD') })
  const asideOf = async () =>
    (await quarantine(test.database)).map(({ reason, position, detail }) => ({ reason, position, detail }))
  const clear = () =>
    test.database.write(async ({ sql, t }) => {
      await sql.delete(t.imports)
      await sql.delete(t.quarantine)
    })

  // Equal content under one time with other content between, repetitions, jumps that are held back over many batches.
  const mids = [1, 1, 1.01, 1, 1, 2, 2.01, 1.02, 2, 2.01, 2.02, 2, 2.01, 0, 2, 5, 2, 5, 5.1, 5.2, 5.1, 9]
  const lines = mids.flatMap((mid, at) =>
    ['EURUSD', 'GBPUSD'].map((symbol) => {
      const time = new Date(NOW + Math.floor(at / 5) * 1_000).toISOString()
      return JSON.stringify({ symbol, lp: 'LP', bid: mid, ask: mid, timestamp: time })
    }),
  )

  it('in any batch ends with the same ticks in their order and the same quarantine', async () => {
    const folder = openFolder()
    const path = folder.file('a.jsonl', lines.join('\n'))
    const whole = openStore()
    const first = await importAll(path, whole, test.database, { jumpPct: 10, batchPieces: 3 })
    const { quarantined } = first
    expect(quarantined).toEqual({ duplicate: 4, jump: 8, non_positive: 2 })
    const [expected, aside] = [await stored(whole), await asideOf()]
    expect(expected.ticks.slice(0, 3).map(({ bid, sequence }) => [bid, sequence])).toEqual([
      [1, 0],
      [1.01, 2],
      [1, 3],
    ])
    await whole.close()
    for (const dies of [1, 2, 4, 7, 10, 13, 14]) {
      await clear()
      const store = openStore()
      let calls = 0
      const dying: TickStore = {
        ...store,
        async write(ticks) {
          calls += 1
          // Every second time the batch is durable before the process dies.
          if (calls === dies && dies % 2 === 0) await store.write(ticks)
          if (calls === dies) throw new Error('killed')
          return store.write(ticks)
        },
      }
      const options = { jumpPct: 10, batchPieces: 3 }
      await importAll(path, dying, test.database, options).catch(() => undefined)
      const after = await importAll(path, store, test.database, options)
      expect(after).toMatchObject({ read: 44, quarantined })
      expect(after.stored + after.duplicate).toBe(first.stored)
      expect(await stored(store)).toEqual(expected)
      expect(await asideOf()).toEqual(aside)
      await store.close()
    }
    folder.remove()
  })
})
