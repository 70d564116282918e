// A day of real ticks goes from JSON files to SQLite files and back: no difference, and one changed tick is found.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Difference } from '../../src/cutover/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { inItsPhases, tickStores } from '../../src/ticks/cutover-ticks.ts'
import { openJsonTicks } from '../../src/ticks/json-ticks.ts'
import { parseTime } from '../../src/ticks/parse-time.ts'
import { phasedTicks } from '../../src/ticks/phased-ticks.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import type { CopyableTicks, Tick, TickStore } from '../../src/ticks/tick.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { recording } from '../support/recordings.ts'
import { openRealEngine } from './rig.ts'

const file = recording('ticks/CHFJPY/2026-01-19.json')
const DAY = Date.UTC(2026, 0, 19)

interface Recorded {
  readonly symbol: string
  readonly lp: string
  readonly bid: number
  readonly ask: number
  readonly timestamp: string
}

/** In the order of the file; those that share a time are counted. */
function readTicks(path: string): Tick[] {
  const seen = new Map<string, number>()
  return (JSON.parse(readFileSync(path, 'utf8')) as Recorded[]).map(({ symbol, lp, bid, ask, timestamp }) => {
    const key = `${lp} ${timestamp}`
    const sequence = seen.get(key) ?? 0
    seen.set(key, sequence + 1)
    const sizes = { bidSize: undefined, askSize: undefined, volume: 0, flags: 0, broker: '' }
    return { symbol, source: lp, ...parseTime(timestamp)!, sequence, bid, ask, ...sizes }
  })
}

let place: TestDatabase
let folder: string
let json: CopyableTicks
let sqlite: CopyableTicks
beforeEach(async () => {
  place = await openTestDatabase('sqlite')
  folder = mkdtempSync(join(tmpdir(), 'sluice-ticks-'))
  json = openJsonTicks({ dir: join(folder, 'json'), clock: systemClock })
  sqlite = openSqliteTicks({ dir: join(folder, 'sqlite'), clock: systemClock })
})
afterEach(async () => {
  await Promise.all([json.close(), sqlite.close()])
  rmSync(folder, { recursive: true })
  await place.close()
})

const ports = () => ({ legacy: json, current: sqlite })
const engine = () => openRealEngine(place.database)
const toDual = async () => {
  const one = engine()
  await one.advance('ticks', { reason: 'begin' })
  await one.copy(tickStores(ports()))
  return one
}

describe.skipIf(file === undefined)('the recorded ticks of a symbol', () => {
  it('are the same in both stores once they are copied, tick by tick', async () => {
    const ticks = readTicks(file!)
    await json.write(ticks)
    const one = await toDual()
    const run = await one.compare(tickStores(ports()))
    expect(run).toMatchObject({ compared: ticks.length, different: 0 })
    const again = await one.copy(tickStores(ports()))
    expect(again).toMatchObject({ parts: 1, records: ticks.length })
    expect(await one.compare(tickStores(ports()))).toMatchObject({ compared: ticks.length, different: 0 })
  })

  it('show one tick that was changed, and one that is missing', async () => {
    const ticks = readTicks(file!)
    await json.write(ticks)
    const [changed, missing] = [ticks[1_234]!, ticks[4_321]!]
    const others = ticks.filter((tick) => tick !== changed && tick !== missing)
    await sqlite.write([...others, { ...changed, ask: changed.ask + 1e-9 }])
    const found: Difference[] = []
    const run = await engine().compare(tickStores(ports()), { onDifference: (one) => found.push(one) })
    expect(run).toMatchObject({ compared: ticks.length, different: 2 })
    expect(found.map(({ key }) => key)).toEqual([
      expect.stringMatching(/^CHFJPY 2026-01-19T\d\d:\d\d:\d\d\.\d{9}Z YOFX \d+$/),
      expect.stringMatching(/^CHFJPY 2026-01-19T/),
    ])
    expect(found[0]!.current).toContain(` ${changed.ask + 1e-9} `)
    expect(found[1]!.current).toBeNull()
  })
})

describe('ticks', () => {
  const tick = (n: number, more: Partial<Tick> = {}): Tick => ({
    ...{ symbol: 'EURUSD', source: 'A', time: DAY + Math.floor(n / 5), nanos: 0, sequence: n % 5 },
    ...{ bid: 1 + n / 1e5, ask: 1.1, bidSize: 0, askSize: undefined, volume: -0, flags: 7, broker: 'b' },
    ...more,
  })

  it('of several pages, sources and days are compared, also where many share a time', async () => {
    const ticks = Array.from({ length: 45_000 }, (_, n) => tick(n, { source: n % 2 ? 'A b' : 'A' }))
    const next = Array.from({ length: 10 }, (_, n) => tick(n, { time: DAY + 86_400_000, sequence: n * 7 }))
    await Promise.all([json.write([...ticks, ...next]), sqlite.write([...ticks, ...next])])
    const found: Difference[] = []
    const run = await engine().compare(tickStores(ports()), { onDifference: (one) => found.push(one) })
    expect(found.slice(0, 3)).toEqual([])
    expect(run).toMatchObject({ compared: 45_010, different: 0 })
  })

  it.each<[string, Partial<Tick>]>([
    ['bid', { bid: 1.000_000_000_000_2 }],
    ['size that nobody gave', { askSize: 0 }],
    ['sign of zero', { volume: 0 }],
    ['flag', { flags: 6 }],
    ['broker', { broker: 'c' }],
    ['nanosecond', { nanos: 1 }],
  ])('differ by another %s', async (_, other) => {
    await json.write([tick(0)])
    await sqlite.write([tick(0, other)])
    const { different } = await engine().compare(tickStores(ports()))
    expect(different).toBe(other.nanos ? 2 : 1)
  })

  it('that an import writes in done are in both stores when it learns of the way back too late', async () => {
    const [operator, late] = [openRealEngine(place.database, 200), openRealEngine(place.database, 200)]
    await place.database.write(({ sql, t }) =>
      sql.insert(t.cutovers).values({ feature: 'ticks', phase: 'done', revision: 9, changedAt: 1 }),
    )
    await late.ready()
    const gate = Promise.withResolvers<void>()
    const slow: TickStore = {
      ...sqlite,
      async write(ticks) {
        await gate.promise
        return sqlite.write(ticks)
      },
    }
    const written = phasedTicks({ cutover: late, legacy: json, current: slow }).write([tick(0)])
    await operator.rollback('ticks', { reason: 'back' })
    await operator.copy(tickStores(ports()))
    gate.resolve()
    expect(await written).toEqual({ stored: 1, duplicate: 0 })
    expect(await operator.compare(tickStores(ports()))).toMatchObject({ compared: 1, different: 0 })
  })

  it('are written by the group of a store in its phases, and left out in others', async () => {
    const one = engine()
    const [former, newer] = [inItsPhases(one, 'legacy', json), inItsPhases(one, 'current', sqlite)]
    expect(await former.write([tick(0)])).toEqual({ stored: 1, duplicate: 0 })
    expect(await newer.write([tick(0)])).toEqual({ stored: 0, duplicate: 0 })
    await one.advance('ticks', { reason: 'begin' })
    expect(await newer.write([tick(1)])).toEqual({ stored: 1, duplicate: 0 })
    await one.copy({ ...tickStores(ports()), drained: async () => void (await former.write([tick(1)])) })
    expect(await one.compare(tickStores(ports()))).toMatchObject({ compared: 2, different: 0 })
  })
})
