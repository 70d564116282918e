// Ticks in Postgres: days as partitions, made and dropped under the eyes of others, and what happens when the server or
// another writer is in the way.
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { openPostgresTicks } from '../../src/ticks/postgres-ticks.ts'
import type { TickStore } from '../../src/ticks/tick.ts'
import { openPlace } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { ALWAYS, all, demandTicks, written } from './conformance-place.ts'
import { DAY_MS, feed, NOON, tick } from './samples.ts'

let place: Awaited<ReturnType<typeof openPlace>>
let admin: pg.Client

beforeAll(async () => {
  place = await openPlace('postgres')
  admin = new pg.Client({ connectionString: place.options.url })
  await admin.connect()
})
afterAll(async () => {
  await admin?.end()
  await place?.remove()
})
beforeEach(async () => {
  await admin.query('rollback')
  await admin.query('drop schema if exists market cascade')
})

function openStore(more: { busyMs?: number; pool?: number } = {}): TickStore {
  const store = openPostgresTicks({ url: place.options.url!, clock: systemClock, ...more })
  onTestFinished(() => store.close())
  return store
}

async function partitions(): Promise<string[]> {
  const text = "select relname from pg_class where relname ~ '^ticks_\\d' and relkind = 'r' order by 1"
  return (await admin.query<{ relname: string }>(text)).rows.map(({ relname }) => relname)
}

const days = [-1, 0, 1].map((day) => tick({ time: NOON + day * DAY_MS }))

describe('days', () => {
  it('are partitions, made once when many need them at once', async () => {
    const stores = Array.from({ length: 8 }, () => openStore({ pool: 1 }))
    const results = await Promise.all(
      stores.map((store, n) => store.write(days.map((one) => ({ ...one, bid: n })))),
    )
    expect(results).toEqual(stores.map(() => written(3)))
    expect(await partitions()).toEqual(['ticks_2026_01_18', 'ticks_2026_01_19', 'ticks_2026_01_20'])
    expect(await all(stores[0]!)).toHaveLength(24)
  })

  it('that somebody has dropped are gone alone, and come again when a late tick needs them', async () => {
    const [one, other] = [openStore(), openStore()]
    await one.write(days)
    await other.write(days)
    await admin.query('drop table market.ticks_2026_01_19')
    demandTicks(await all(other), [days[0]!, days[2]!])
    expect(await other.write(days)).toEqual(written(1, 2))
    demandTicks(await all(one), days)
  })

  it('that somebody locks hold up nothing but what needs them', async () => {
    const store = openStore({ busyMs: 300 })
    await store.write(days)
    await admin.query('begin; lock table market.ticks_2026_01_18 in access exclusive mode')
    const [yesterday, today, tomorrow] = days as [(typeof days)[0], ...typeof days]
    const busy = { code: 'DATABASE_BUSY' }
    demandTicks(await store.range({ symbol: 'EURUSD', from: NOON, to: NOON + 2 * DAY_MS }), [
      today!,
      tomorrow!,
    ])
    demandTicks(await store.recent('EURUSD', 1), [tomorrow!])
    expect(await store.write([today!, { ...today!, bid: 2 }])).toEqual(written(1, 1))
    expect(await store.series('2026-01-19')).toHaveLength(1)
    await expect(all(store)).rejects.toMatchObject(busy)
    await expect(store.write([yesterday!])).rejects.toMatchObject(busy)
    await admin.query('rollback')
    expect(await store.write([yesterday!])).toEqual(written(0, 1))
  })

  it('keep their ticks when everything else of the schema is dropped and made again', async () => {
    const store = openStore()
    await store.write(days)
    await admin.query('drop schema market cascade')
    expect(await all(store)).toEqual([])
    expect(await store.write(days)).toEqual(written(3))
    demandTicks(await all(store), days)
  })
})

describe('a write', () => {
  it('is all or nothing, also when its connection is cut in the middle', async () => {
    const store = openStore({ pool: 2 })
    await store.write(days)
    // The write waits here for the row of another transaction, and is cut while it does.
    await admin.query('begin')
    await admin.query(`insert into market.ticks select time + 5000000, sequence, bid, ask, bid_size, ask_size, volume,
      flags, symbol, source, broker from market.ticks where time = ${NOON}000000`)
    const list = [0, 5, 9].map((ms) => tick({ time: NOON + ms, bid: 7 }))
    const writing = store.write(list)
    await untilWaiting()
    const cut =
      "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and pid <> pg_backend_pid()"
    await admin.query(cut)
    await untilWaiting()
    expect(await store.recent('EURUSD', 9)).toHaveLength(3)
    await admin.query('rollback')
    expect(await writing).toEqual(written(3))
    expect((await all(store)).map(({ time, sequence }) => [time - NOON, sequence])).toEqual([
      ...[
        [-DAY_MS, 0],
        [0, 0],
        [0, 1],
        [5, 0],
        [9, 0],
        [DAY_MS, 0],
      ],
    ])
  })

  it('is one statement’s worth of ticks at any length', async () => {
    const store = openStore()
    const ticks = feed(30_000, { symbols: 1 })
    expect(await store.write(ticks)).toEqual(written(30_000))
    demandTicks(await store.range({ symbol: 'SYM0', ...ALWAYS }), ticks)
  })
})

/** Until a connection of the store waits for a lock. */
async function untilWaiting(): Promise<void> {
  const text =
    "select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'sluice-ticks'"
  const waiting = async () => {
    // Within a transaction the view keeps what it showed first.
    await admin.query('select pg_stat_clear_snapshot()')
    return (await admin.query(text)).rows.length
  }
  await eventually(async () => (await waiting()) === 1, { what: 'a write that waits' })
}

describe('a server that is away', () => {
  it('is DATABASE_UNAVAILABLE, and the address in it has no password', async () => {
    const store = openPostgresTicks({ url: 'postgres://me:secret@127.0.0.1:1/x', clock: systemClock })
    onTestFinished(() => store.close())
    for (const call of [store.write(days), store.recent('EURUSD', 1), store.series()]) {
      const error = await call.then(String, (thrown) => thrown)
      expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
      expect(String(error)).not.toContain('secret')
    }
  })

  it('is asked again on a new connection when it cut all that were open', async () => {
    const store = openStore({ pool: 3 })
    await Promise.all([1, 2, 3].map((n) => store.write([tick({ time: NOON + n })])))
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sluice-ticks'",
    )
    const results = await Promise.all([1, 2, 3].map((n) => store.write([tick({ time: NOON + n, bid: 2 })])))
    expect(results).toEqual([written(1), written(1), written(1)])
    expect(await all(store)).toHaveLength(6)
  })
})
