// Which store a process may start with: never one that goes round the phase, nor one that lacks what the other holds.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openSqlCandles } from '../../src/candles/index.ts'
import type { Phase, Side } from '../../src/cutover/index.ts'
import { readConfig, systemClock } from '../../src/kernel/index.ts'
import { beginFeature, openPlatform } from '../../src/platform.ts'
import { openSqliteTicks } from '../../src/ticks/index.ts'
import { aBar } from '../candles/store-bars.ts'
import { sluice } from '../support/command.ts'
import { drivers, openTestDatabase, type TestDatabase } from '../support/database.ts'
import { tick } from '../ticks/samples.ts'
import { forgetCutovers, openEngine } from './rig.ts'

describe.each(drivers)('a feature on %s', (driver) => {
  let place: TestDatabase
  beforeAll(async () => {
    place = await openTestDatabase(driver)
  })
  afterAll(() => place.close())
  beforeEach(() => forgetCutovers(place.database))

  const enter = (phase: Phase, revision = 3) =>
    place.database.write(async ({ sql, t }) => {
      await sql.insert(t.cutovers).values({ feature: 'toys', phase, revision, changedAt: 1 })
    })
  const begin = (uses: Side | 'both' | 'neither', ...full: Side[]) => {
    const holds = async (side: Side) => full.includes(side)
    return openEngine(place.database).begin('toys', { setting: 'TOYS', value: uses, uses, holds })
  }
  const status = () => openEngine(place.database).status('toys')
  const refused = (message: RegExp) => ({
    code: 'CUTOVER_REFUSED',
    message: expect.stringMatching(message),
  })

  it.each(['dual', 'shadow', 'primary'] as const)(
    'in %s takes both stores and nothing else',
    async (phase) => {
      await enter(phase)
      await begin('both', 'current')
      for (const uses of ['legacy', 'current', 'neither'] as const) {
        const says = new RegExp(`in ${phase} and TOYS is ${uses}.*Set TOYS=dual.*legacy or done first`)
        await expect(begin(uses)).rejects.toMatchObject(refused(says))
      }
      expect(await status()).toMatchObject({ phase, revision: 3 })
    },
  )

  it('in its first and its last phase takes the store of the phase, whatever the other one holds', async () => {
    await enter('legacy')
    await begin('legacy', 'legacy', 'current')
    await expect(begin('current')).rejects.toMatchObject(refused(/in legacy and TOYS is current/))
    await forgetCutovers(place.database)
    await enter('done')
    await begin('current', 'legacy', 'current')
    await expect(begin('legacy')).rejects.toMatchObject(refused(/in done and TOYS is legacy/))
    await begin('neither')
  })

  it('that was never moved takes one store unless the other one holds something', async () => {
    await begin('current', 'current')
    await begin('legacy', 'legacy')
    await begin('neither', 'legacy', 'current')
    await expect(begin('current', 'legacy')).rejects.toMatchObject(
      refused(/the other store of toys holds data/),
    )
    await expect(begin('legacy', 'current')).rejects.toMatchObject(
      refused(/the other store of toys holds data/),
    )
    expect(await status()).toMatchObject({ isBegun: false })
  })

  it('begins where its data are: in the last phase when only the new store holds something', async () => {
    await begin('both', 'current')
    expect(await status()).toMatchObject({ phase: 'done', revision: 1, complete: false })
    await forgetCutovers(place.database)
    for (const full of [[], ['legacy'], ['legacy', 'current']] as const) {
      await begin('both', ...full)
      expect(await status()).toMatchObject({ phase: 'legacy', revision: 0, isBegun: true, changes: [] })
      // What came into the new store afterwards changes nothing.
      await begin('both', 'current')
      expect(await status()).toMatchObject({ phase: 'legacy', revision: 0 })
      await forgetCutovers(place.database)
    }
  })

  it('begins once, also when several processes start at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => begin('both', 'current')))
    expect(await status()).toMatchObject({ phase: 'done', revision: 1 })
    const { changes } = await status()
    expect(changes).toHaveLength(1)
  })
})

describe('the settings', () => {
  let place: TestDatabase
  let folder: string
  let environment: Record<string, string>
  beforeEach(async () => {
    place = await openTestDatabase('sqlite')
    folder = mkdtempSync(join(tmpdir(), 'sluice-begin-'))
    environment = { ...place.environment, DATA_DIR: folder }
    return async () => {
      await place.close()
      rmSync(folder, { recursive: true })
    }
  })
  const begin = async (feature: 'ticks' | 'candles', settings: Record<string, string>) => {
    const platform = openPlatform(readConfig({ ...environment, ...settings }), { name: 'test' })
    try {
      await beginFeature(platform, feature)
      return await platform.cutover.status(feature)
    } finally {
      await platform.close()
    }
  }

  it('of ticks are held against the files that there are', async () => {
    expect(await begin('ticks', {})).toMatchObject({ isBegun: false })
    const store = openSqliteTicks({ dir: join(folder, 'ticks'), clock: systemClock })
    await store.write([tick()])
    await store.close()
    const refused = expect(begin('ticks', { TICKS_BACKEND: 'json' })).rejects
    await refused.toMatchObject({
      code: 'CUTOVER_REFUSED',
      message: expect.stringContaining('TICKS_BACKEND is json'),
    })
    expect(await begin('ticks', { TICKS_BACKEND: 'sqlite' })).toMatchObject({ isBegun: false })
    expect(await begin('ticks', { TICKS_BACKEND: 'dual' })).toMatchObject({ phase: 'done' })
  })

  it('of ticks stop a command that would use the store that is left out, and no look at a backup', async () => {
    await begin('ticks', { TICKS_BACKEND: 'dual' })
    await place.database.write(({ sql, t }) => sql.update(t.cutovers).set({ phase: 'dual' }))
    const range = ['--source', 's', '--from', '2026-01-19T00:00:00Z']
    const calls = [
      ['candles', 'rebuild', 'A/B', ...range],
      ['quality', 'report'],
      ['partitions', 'rotate'],
      ['partitions', 'compress', '2026-01-19'],
    ]
    const ended = (words: readonly string[]) => sluice(words, { env: environment }).ended
    for (const { code, stderr } of await Promise.all(calls.map(ended))) {
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('[CUTOVER_REFUSED]') })
    }
    const looks = [
      ['partitions', 'list'],
      ['partitions', 'verify'],
      ['ticks', 'stats'],
    ]
    for (const { code } of await Promise.all(looks.map(ended))) expect(code).toBe(0)
  })

  it('of candles are held against rows and files', async () => {
    const csv = join(folder, 'candles/vn/VIC')
    mkdirSync(csv, { recursive: true })
    writeFileSync(join(csv, '1D.csv'), '')
    await expect(begin('candles', {})).rejects.toMatchObject({ code: 'CUTOVER_REFUSED' })
    rmSync(csv, { recursive: true })
    const store = openSqlCandles({ database: place.database, clock: systemClock })
    await store.write([aBar(0, { source: 'vn', ticker: 'VIC', interval: '1m' })])
    expect(await begin('candles', {})).toMatchObject({ isBegun: false })
    expect(await begin('candles', { CANDLES_BACKEND: 'dual' })).toMatchObject({ phase: 'done' })
  })

  it('that go round the phase are refused by an import, which writes nothing', async () => {
    const changed = { feature: 'ticks', phase: 'primary', revision: 5, changedAt: 1 } as const
    await place.database.write(async ({ sql, t }) => void (await sql.insert(t.cutovers).values(changed)))
    const file = join(folder, '2026-01-19.json')
    const one = { symbol: 'A', bid: 1, ask: 2, timestamp: '2026-01-19T12:00:00Z', lp: 'x' }
    writeFileSync(file, JSON.stringify([one]))
    const asked = sluice(['import', 'ticks', file], { env: { ...environment, TICKS_BACKEND: 'sqlite' } })
    const { code, stderr } = await asked.ended
    expect(stderr).toContain('ticks is in primary and TICKS_BACKEND is sqlite')
    expect(code).toBe(1)
    expect(existsSync(join(folder, 'ticks/2026'))).toBe(false)
  })
})
