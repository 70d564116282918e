// Every tick store keeps what the port promises, and stores that do not are caught.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openJsonTicks } from '../../src/ticks/json-ticks.ts'
import { openPostgresTicks } from '../../src/ticks/postgres-ticks.ts'
import { openSqliteTicks } from '../../src/ticks/sqlite-ticks.ts'
import type { TickStore } from '../../src/ticks/tick.ts'
import { openPlace } from '../support/database.ts'
import { recording } from '../support/recordings.ts'
import { type Property, TICK_PROPERTIES } from './conformance.ts'
import { all, demandTicks, written } from './conformance-place.ts'
import { type Fault, openModel, type Shelf } from './model.ts'

const FAULTS: readonly Fault[] = [
  'drops ticks of one time',
  'drops ticks of one millisecond',
  'keeps the first content of a key',
  'keeps the last content of a key',
  'counts duplicates as stored',
  'stores duplicates',
  'orders by price',
  'orders by arrival',
  'orders sources by UTF-16',
  'loses nanoseconds',
  'rounds prices',
  'loses the sign of zero',
  'takes unknown sizes for zero',
  'drops the broker',
  'includes the end of a range',
  'ignores the source',
  'gives the newest first',
  'gives the oldest as recent',
  'continues behind the time',
  'files late ticks under the day of arrival',
  'forgets when it is closed',
  'reads what it had when it was opened',
  'stores what came before a wrong tick',
  'throttles',
]

function inMemory(fault?: Fault) {
  const shelf: Shelf = { ticks: [] }
  return { open: async () => openModel(shelf, fault) }
}

// The model compares each tick with all others; 20,000 are for real stores.
const quick: readonly Property[] = TICK_PROPERTIES.filter(({ says }) => !says.includes('20,000'))

async function firstBroken(fault: Fault): Promise<string | undefined> {
  for (const { says, hold } of quick) {
    const broken = await hold(inMemory(fault)).then(
      () => false,
      () => true,
    )
    if (broken) return says
  }
  return undefined
}

describe('a faulty tick store', () => {
  it.each(FAULTS)('that %s is caught', async (fault) => {
    expect(await firstBroken(fault)).toBeDefined()
  })
})

describe('a tick store in memory', () => {
  it.each(quick)('$says', async ({ hold }) => {
    await expect(hold(inMemory())).resolves.toBeUndefined()
  })
})

const folder = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-ticks-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  return dir
}
const clock = systemClock

let database: Awaited<ReturnType<typeof openPlace>>
let admin: pg.Client
const openPostgres = (): TickStore => openPostgresTicks({ url: database.options.url!, clock })

beforeAll(async () => {
  database = await openPlace('postgres')
  admin = new pg.Client({ connectionString: database.options.url })
  await admin.connect()
})
afterAll(async () => {
  await admin?.end()
  await database?.remove()
})

describe('ticks in Postgres', () => {
  beforeEach(async () => {
    await admin.query('drop schema if exists market cascade')
  })

  it.each(TICK_PROPERTIES)('$says', async ({ hold }) => {
    await expect(hold({ open: async () => openPostgres() })).resolves.toBeUndefined()
  })
})

describe('ticks in JSON files', () => {
  it.each(TICK_PROPERTIES)('$says', async ({ hold }) => {
    const dir = folder()
    await expect(hold({ open: async () => openJsonTicks({ dir, clock }) })).resolves.toBeUndefined()
  })
})

const recorded = recording('ticks')

describe.skipIf(!recorded)('the recorded ticks', () => {
  it('are read from the files of the reference, all of them, each at a place of its own', async () => {
    const store = openJsonTicks({ dir: recorded!, clock })
    const series = await store.series()
    const of = (name: string) => sum(series.filter(({ source }) => source === name).map(({ ticks }) => ticks))
    expect([of('YOFX'), of('OANDA-HISTORICAL')]).toEqual([35_221, 66_739])
    const lists = await Promise.all(
      [...new Set(series.map(({ symbol }) => symbol))].map((symbol) => all(store, symbol)),
    )
    expect(lists.flat().filter(({ sequence }) => sequence > 0)).toHaveLength(25_859)
    expect(lists.flat()).toHaveLength(101_960)
  })

  it('are answered alike by every store, and stored once', async () => {
    await admin.query('drop schema if exists market cascade')
    const reference = openJsonTicks({ dir: recorded!, clock })
    const stores = [
      openJsonTicks({ dir: folder(), clock }),
      openSqliteTicks({ dir: folder(), clock }),
      openPostgres(),
    ]
    for (const symbol of ['EURCAD', 'CHFJPY']) {
      const ticks = await all(reference, symbol)
      for (const store of stores) {
        expect(await store.write(ticks.slice(0, 4_000))).toEqual(written(Math.min(4_000, ticks.length)))
        expect(await store.write(ticks)).toEqual(
          written(Math.max(0, ticks.length - 4_000), Math.min(4_000, ticks.length)),
        )
        demandTicks(await all(store, symbol), ticks)
        demandTicks(await store.recent(symbol, 500, 'YOFX'), await reference.recent(symbol, 500, 'YOFX'))
      }
    }
    const wanted = (await reference.series()).filter(({ symbol }) => ['EURCAD', 'CHFJPY'].includes(symbol))
    for (const store of stores) {
      expect(await store.series()).toEqual(wanted)
      await store.close()
    }
  })
})

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
