import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { asc } from '../../src/db/index.ts'
import { insertQuarantine } from '../../src/imports/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openPostgresTicks } from '../../src/ticks/postgres-ticks.ts'
import { openQualityCount, scoreOf } from '../../src/ticks/quality.ts'
import { reportQuality } from '../../src/ticks/quality-report.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import type { Tick, TickStore } from '../../src/ticks/tick.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'

const MIDNIGHT = Date.UTC(2026, 0, 20)
const tick = (time: number, more: Partial<Tick> = {}): Tick => ({
  ...{ symbol: 'EURUSD', source: 'LP', time, nanos: 0, sequence: 0, bid: 1, ask: 1.5 },
  ...{ bidSize: undefined, askSize: undefined, volume: 0, flags: 0, broker: '' },
  ...more,
})

const countOf = (ticks: readonly Tick[]) => {
  const quality = openQualityCount()
  for (const one of ticks) quality.add(one)
  return quality.result()
}

describe('the quality of a day', () => {
  it('counts only pauses of more than a minute, to the nanosecond', () => {
    const ticks = [tick(0), tick(60_000), tick(120_000, { nanos: 1 }), tick(300_000, { ask: 1.25 })]
    expect(countOf(ticks)).toMatchObject({
      ...{ ticks: 4, gaps: 2, spanMs: 300_000, maxGapMs: expect.closeTo(180_000, 4) },
      ...{ gapMs: 240_000, minSpread: 0.25, avgSpread: 1.75 / 4, maxSpread: 0.5 },
    })
  })

  it('is the share that was good × the share of the time without a pause', () => {
    expect(scoreOf(countOf([tick(0), tick(60_000)]), 0)).toBe(100)
    expect(scoreOf(countOf([tick(0), tick(60_000)]), 2)).toBe(50)
    expect(scoreOf(countOf([tick(0), tick(60_000), tick(240_000)]), 0)).toBe(25)
    expect(scoreOf(countOf([tick(0), tick(60_000), tick(240_000)]), 1)).toBe(18.75)
    expect(scoreOf(countOf([tick(0)]), 0)).toBe(100)
    expect(scoreOf(countOf([]), 5)).toBe(0)
  })

  it('lies between 0 and 100 whatever there is', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(86_400_000)), fc.nat(1_000), (times, bad) => {
        const score = scoreOf(countOf([...times].sort((a, b) => a - b).map((time) => tick(time))), bad)
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(100)
      }),
    )
  })
})

describe.each(drivers)('the report on %s', (driver) => {
  let test: TestDatabase
  let folder: string
  let store: TickStore
  beforeEach(async () => {
    test = await openTestDatabase(driver)
    folder = mkdtempSync(join(tmpdir(), 'sluice-quality-'))
    store =
      driver === 'sqlite'
        ? openSqliteTicks({ dir: folder, clock: systemClock })
        : openPostgresTicks({ url: test.options.url!, clock: systemClock })
  })
  afterEach(async () => {
    await store.close()
    await test.close()
    rmSync(folder, { recursive: true, force: true })
  })

  let at = 0
  const aside = (reason: string, more: { symbol?: string; source?: string; time?: number }) =>
    test.database.write((tx) =>
      insertQuarantine(tx, { kind: 'ticks', origin: 'a.json', at: 1 }, [
        { piece: { offset: at++, text: reason }, reason, detail: '', ...more },
      ]),
    )
  const report = (more: { day?: string; symbol?: string } = {}) =>
    reportQuality({ database: test.database, store, clock: systemClock, ...more })
  const kept = () =>
    test.database.read(({ sql, t: { tickQuality: q } }) =>
      sql.select().from(q).orderBy(asc(q.day), asc(q.symbol), asc(q.source)),
    )

  it('judges each day, symbol and source, also those of which nothing was good, and keeps what it says', async () => {
    const before = MIDNIGHT - 1_000
    await store.write([
      ...[tick(before), tick(MIDNIGHT), tick(MIDNIGHT + 1_000, { ask: 1.25 }), tick(MIDNIGHT + 121_000)],
      tick(MIDNIGHT, { symbol: 'GBPUSD', source: 'b' }),
    ])
    const eurusd = { symbol: 'EURUSD', source: 'LP', time: MIDNIGHT }
    for (const reason of ['crossed', 'crossed', 'jump']) await aside(reason, eurusd)
    await aside('non_positive', { ...eurusd, source: 'dead' })
    await aside('not_json', {})
    await aside('bad_time', { symbol: 'EURUSD', source: 'LP' })
    const { rows, unplaced } = await report()
    expect(rows.map((row) => [row.day, row.symbol, row.source, row.ticks, row.gaps, row.score])).toEqual([
      ['2026-01-19', 'EURUSD', 'LP', 1, 0, 100],
      ['2026-01-20', 'EURUSD', 'LP', 3, 1, 0.41],
      ['2026-01-20', 'EURUSD', 'dead', 0, 0, 0],
      ['2026-01-20', 'GBPUSD', 'b', 1, 0, 100],
    ])
    expect(rows[1]).toMatchObject({
      ...{ maxGapMs: 120_000, quarantined: { crossed: 2, jump: 1 } },
      ...{ minSpread: 0.25, avgSpread: 1.25 / 3, maxSpread: 0.5 },
    })
    expect(rows[2]).toMatchObject({ minSpread: null, quarantined: { non_positive: 1 } })
    expect(unplaced).toEqual({ not_json: 1, bad_time: 1 })
    expect(await kept()).toEqual(rows)
  })

  it('of a day or a symbol leaves the others alone, and an unchanged one is not computed again', async () => {
    await store.write([tick(MIDNIGHT - 1), tick(MIDNIGHT), tick(MIDNIGHT, { symbol: 'GBPUSD' })])
    const day = await report({ day: '2026-01-20', symbol: 'EURUSD' })
    expect(day.rows).toMatchObject([{ day: '2026-01-20', symbol: 'EURUSD' }])
    expect(await kept()).toEqual(day.rows)
    const whole = await report()
    expect(whole.rows).toHaveLength(3)
    expect(whole.rows[1]).toEqual(day.rows[0])
    await aside('crossed', { symbol: 'EURUSD', source: 'LP', time: MIDNIGHT })
    await store.write([tick(MIDNIGHT - 2)])
    const again = await report()
    expect(again.rows.map(({ ticks, score }) => [ticks, score])).toEqual([
      [2, 100],
      [1, 50],
      [1, 100],
    ])
    expect(again.rows[2]).toEqual(whole.rows[2])
  })

  it('refuses what is no day', async () => {
    await expect(report({ day: '2026-02-30' })).rejects.toMatchObject({ code: 'USAGE' })
  })
})
