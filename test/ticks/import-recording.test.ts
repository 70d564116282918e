// The recorded ticks through the real command, which is killed in the middle: every figure is counted by other means.
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listImportFiles, runImport } from '../../src/imports/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickImport } from '../../src/ticks/import-ticks.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import type { Tick } from '../../src/ticks/tick.ts'
import { sluice } from '../support/command.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { recording } from '../support/recordings.ts'
import { type Expected, expectedOf } from './import-expected.ts'

const path = recording('ticks')

const good = 101_960 - 3_253 - 40 - 25
const FIELDS: readonly (keyof Tick)[] = [
  ...(['symbol', 'source', 'time', 'nanos', 'sequence', 'bid', 'ask'] as const),
  ...(['bidSize', 'askSize', 'volume', 'flags', 'broker'] as const),
]
const same = (a: Tick, b: Tick) => FIELDS.every((field) => Object.is(a[field], b[field]))

describe.skipIf(path === undefined)('the recorded ticks', () => {
  let test: TestDatabase
  let folder: string
  let expected: Expected
  beforeAll(async () => {
    test = await openTestDatabase('sqlite')
    folder = mkdtempSync(join(tmpdir(), 'sluice-recording-'))
    expected = expectedOf(globSync(join(path!, '*/*.json')).sort())
  })
  afterAll(async () => {
    await test.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const start = () => {
    const env = { ...test.environment, DATA_DIR: folder }
    return sluice(['import', 'ticks', path!, '--json'], { env })
  }
  const run = async () => {
    const { code, stdout, stderr } = await start().ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout) as Record<string, unknown> & { stored: number; duplicate: number }
  }
  const rows = () => test.database.read(({ sql, t }) => sql.select().from(t.imports))

  it('are counted as the description of the recording says', () => {
    expect(expected).toMatchObject({ read: 101_960, shared: 25_859 })
    expect(expected.reasons).toEqual({ non_positive: 3_253, crossed: 40, wide_spread: 25 })
  })

  it('are judged in a dry run, which writes nothing', async () => {
    const { database } = test
    const parts = openTickImport({ clock: systemClock })
    const files = await listImportFiles(path!)
    const result = await runImport({
      database,
      clock: systemClock,
      kind: 'ticks',
      files,
      dryRun: true,
      ...parts,
    })
    expect(result).toMatchObject({ read: 101_960, stored: good, quarantined: expected.reasons })
    expect(await rows()).toEqual([])
  })

  it('are all stored or in quarantine, also when the import is killed in the middle and goes on', async () => {
    const quarantined = expected.reasons
    const killed = start()
    await eventually(async () => (await rows()).filter(({ offset }) => offset > 0).length > 2)
    killed.child.kill('SIGKILL')
    expect((await killed.ended).signal).toBe('SIGKILL')
    const begun = await rows()
    expect(begun.filter(({ done }) => done).length).toBeLessThan(7)

    const resumed = await run()
    expect(resumed).toMatchObject({ read: 101_960, quarantined, failed: [], stopped: false })
    expect(resumed['resumed']).toBeGreaterThan(0)
    // What was durable and not yet counted when it was killed is recognised.
    expect(resumed.stored + resumed.duplicate).toBe(good)
    expect(resumed.duplicate).toBeLessThanOrEqual(4_000)

    expect(await run()).toMatchObject({ read: 101_960, stored: 0, duplicate: good, quarantined, resumed: 0 })
    const aside = await test.database.read(({ sql, t }) => sql.$count(t.quarantine))
    expect(aside).toBe(3_253 + 40 + 25)
  })

  it('are in the store as they are in the files, those of one time in their order', async () => {
    const store = openSqliteTicks({ dir: join(folder, 'ticks'), clock: systemClock })
    for (const [symbol, ticks] of expected.stored) {
      const stored = await store.range({ symbol, from: 0, to: Date.UTC(2027, 0, 1) })
      expect(stored.length).toBe(ticks.length)
      expect(stored.findIndex((tick, at) => !same(tick, ticks[at]!))).toBe(-1)
    }
    await store.close()
  })

  it('would be told apart from others by one digit', () => {
    const [tick] = expected.stored.get('EURUSD')!
    expect(same(tick!, { ...tick! })).toBe(true)
    expect(same(tick!, { ...tick!, bid: tick!.bid + 1e-15 })).toBe(false)
  })
})
