// Every tick store keeps what the port promises, and stores that do not are caught.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openJsonTicks } from '../../src/ticks/json-ticks.ts'
import { openPostgresTicks } from '../../src/ticks/postgres-ticks.ts'
import { openPlace } from '../support/database.ts'
import { type Property, TICK_PROPERTIES } from './conformance.ts'
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

/** The cheapest that fails; the store of 20,000 ticks is for real ones. */
async function firstBroken(fault: Fault): Promise<string | undefined> {
  const asked = TICK_PROPERTIES.filter(({ says }) => !says.includes('20,000'))
  for (const { says, hold } of asked) {
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
  const asked: readonly Property[] = TICK_PROPERTIES.filter(({ says }) => !says.includes('20,000'))
  it.each(asked)('$says', async ({ hold }) => {
    await expect(hold(inMemory())).resolves.toBeUndefined()
  })
})

describe('ticks in Postgres', () => {
  let place: Awaited<ReturnType<typeof openPlace>>
  let admin: pg.Client
  const url = () => place.options.url!

  beforeAll(async () => {
    place = await openPlace('postgres')
    admin = new pg.Client({ connectionString: url() })
    await admin.connect()
  })
  afterAll(async () => {
    await admin?.end()
    await place?.remove()
  })
  beforeEach(async () => {
    await admin.query('drop schema if exists market cascade')
  })

  it.each(TICK_PROPERTIES)('$says', async ({ hold }) => {
    const open = async () => openPostgresTicks({ url: url(), clock: systemClock })
    await expect(hold({ open })).resolves.toBeUndefined()
  })
})

describe('ticks in JSON files', () => {
  it.each(TICK_PROPERTIES)('$says', async ({ hold }) => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-json-'))
    try {
      await expect(
        hold({ open: async () => openJsonTicks({ dir, clock: systemClock }) }),
      ).resolves.toBeUndefined()
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
