// Who keeps projections: one of several, another when it is gone, and everything again when Redis was emptied.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type OpenBus, openBus } from '../../src/bus/index.ts'
import { lockNames, PROJECTION_FAMILIES, projectionEmitter, projectionKeys } from '../../src/catalog/index.ts'
import { decimal, systemClock } from '../../src/kernel/index.ts'
import { seedCash } from '../../src/ledger/index.ts'
import { openLocks } from '../../src/locks/index.ts'
import { familiesOf, familyNames, keepProjections, rebuildProjections } from '../../src/projections/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { openSqliteTicks, type Tick, type TickStore } from '../../src/ticks/index.ts'
import { openVenues } from '../../src/venues/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis.ts'
import { keysOf, openReader } from './rig.ts'

let reader: Awaited<ReturnType<typeof openReader>>
let test: TestDatabase
let bus: OpenBus
let dir: string
let store: TickStore
beforeAll(async () => {
  reader = await openReader()
  test = await openTestDatabase('sqlite')
  await test.database.write((tx) => seedCash(tx, ['alpha'], [{ asset: 'USDT', amount: decimal('500') }]))
  bus = openBus({ url: reader.server.url, clock: systemClock })
  dir = mkdtempSync(join(tmpdir(), 'sluice-projector-'))
  store = openSqliteTicks({ dir, clock: systemClock })
  const tick: Tick = {
    ...{
      symbol: 'BTC/USDT',
      source: 'alpha',
      time: systemClock.now(),
      nanos: 0,
      sequence: 0,
      bid: 100,
      ask: 101,
    },
    ...{ bidSize: 1, askSize: 1, volume: 0, flags: 0, broker: '' },
  }
  await store.write([tick])
})
afterAll(async () => {
  await store.close()
  await bus.close()
  await test.close()
  await reader.close()
  rmSync(dir, { recursive: true, force: true })
})

const parts = (cacheUrl = '') => ({
  ...{ families: familiesOf(PROJECTION_FAMILIES), bus, database: test.database, clock: systemClock },
  ...{ venues: openVenues({ VENUES_FILE: '', FEE_BPS: '' }), ticks: () => store },
  config: {
    ...({ FEED: 'none', MARKET_HOLIDAYS: '', MARKET_TIME: 'wall', TICKS_JUMP_PCT: 10 } as const),
    ...{ REDIS_URL: reader.server.url, REDIS_CACHE_URL: cacheUrl },
  },
})

function startKeeper(cacheUrl = '', clock = systemClock) {
  const stop = new AbortController()
  const failures: string[] = []
  const written = new Set<string>()
  const current = new Map<string, number>()
  const events = projectionEmitter()
  events.on('failed', ({ source, reason }) => void failures.push(`${source}: ${reason}`))
  events.on('put', ({ family, result }) => void written.add(`${family} ${result}`))
  events.on('current', ({ family, at }) => void current.set(family, at))
  const locks = openLocks({
    ...{ urls: [reader.server.url], database: test.database, clock: systemClock, names: lockNames },
  })
  let looks = 0
  const keeping = keepProjections({
    ...{ ...parts(cacheUrl), locks, events, clock },
    async ledgerState() {
      looks++
      return ''
    },
  })(stop.signal)
  return {
    ...{ failures, written, current },
    looks: () => looks,
    async stop() {
      stop.abort()
      await keeping
      await locks.close()
    },
  }
}

const isWhole = async () => {
  const names = Object.keys(await keysOf(reader.client))
  return ['nof0:sim:balances:alpha', 'ticks:BTC/USDT', 'exchange:supported'].every((name) =>
    names.includes(name),
  )
}

it('keeps by one of several, by another when it stops, and writes all again when Redis was emptied', async () => {
  const one = startKeeper()
  await eventually(isWhole)
  const other = startKeeper()
  const before = one.looks()
  await eventually(() => one.looks() > before + 2)
  expect(other.looks()).toBe(0)
  await reader.client.del(...Object.keys(await keysOf(reader.client)), projectionKeys.kept)
  await eventually(isWhole)
  await one.stop()
  await eventually(() => other.looks() > 1)
  await reader.client.flushall()
  await eventually(isWhole)
  await other.stop()
  expect([...one.failures, ...other.failures]).toEqual([])
})

it('says which families it writes, what was overtaken, and when all of a family was last right', async () => {
  await reader.client.flushall()
  const beganAt = systemClock.now()
  const keeper = startKeeper()
  const families = [...PROJECTION_FAMILIES].sort()
  await eventually(() => keeper.current.size === families.length)
  expect([...keeper.current.keys()].sort()).toEqual(families)
  for (const at of keeper.current.values()) expect(at).toBeGreaterThanOrEqual(beganAt)
  expect([...keeper.written]).toEqual(expect.arrayContaining(families.map((family) => `${family} written`)))
  // A later look is another moment.
  const first = keeper.current.get('nof0')!
  await eventually(() => keeper.current.get('nof0')! > first)
  // Somebody has seen more: nothing of this one goes over it until its tickets are as new.
  const key = 'exchange:supported'
  const version = (await reader.writer.ticket()) + 3_600_000_000
  await reader.writer.put({ key, version, lifetimeMs: 9_000, content: { type: 'string', value: '[]' } })
  await reader.client.del(projectionKeys.kept)
  await eventually(() => keeper.written.has('market overtaken'))
  await keeper.stop()
})

it('goes on after Redis was away, and says so', async () => {
  const keeper = startKeeper()
  await eventually(() => keeper.looks() > 1)
  await reader.server.kill()
  await eventually(() => keeper.failures.length > 0)
  await reader.server.restart()
  await eventually(async () => (await reader.client.flushall()) === 'OK')
  await eventually(isWhole)
  await keeper.stop()
})

it('goes on after Redis was full, says so, and loses nothing that was there', async () => {
  const cache = await startRedis()
  const client = connectRedis(cache.url, 'writer')
  await ready(client)
  const pauses = new Set<number>()
  const sleep: typeof systemClock.sleep = (ms, signal) => {
    pauses.add(ms)
    return systemClock.sleep(ms, signal)
  }
  const keeper = startKeeper(cache.url, { ...systemClock, sleep })
  const names = async () => Object.keys(await keysOf(client))
  await eventually(async () => (await names()).includes('exchange:supported'))
  await eventually(async () => (await names()).includes('ticks:BTC/USDT'))
  await client.config('SET', 'maxmemory', '1')
  await test.database.write((tx) => seedCash(tx, ['gamma'], [{ asset: 'USDT', amount: decimal('5') }]))
  await eventually(() => keeper.failures.some((failure) => /memory limit/.test(failure)))
  expect(await names()).toEqual(expect.arrayContaining(['exchange:supported', 'ticks:BTC/USDT']))
  // Each time a source begins again it reads its store as a whole.
  await eventually(() => pauses.has(4_000))
  await client.config('SET', 'maxmemory', '0')
  await eventually(async () => (await names()).includes('nof0:sim:balances:gamma'))
  await keeper.stop()
  await closeRedis(client)
  await cache.stop()
})

it('writes all again when Redis returned with what it had held before', async () => {
  const cache = await startRedis()
  const client = connectRedis(cache.url, 'writer')
  await ready(client)
  const keeper = startKeeper(cache.url)
  const names = async () => Object.keys(await keysOf(client))
  await eventually(async () => (await names()).includes('ticks:BTC/USDT'))
  // What an older snapshot lacks.
  await client.del('ticks:BTC/USDT')
  await cache.restart()
  await eventually(async () => (await names()).includes('ticks:BTC/USDT'))
  await keeper.stop()
  await closeRedis(client)
  await cache.stop()
})

it('a rebuild says what it has written, and a second one replaces it', async () => {
  await reader.client.flushall()
  const told: string[] = []
  const { sources: done, left } = await rebuildProjections(
    parts(),
    new AbortController().signal,
    ({ source }) => void told.push(source),
  )
  expect(left).toEqual([])
  expect(told).toEqual(['ledger', 'analytics', 'insights', 'tables', 'funding', 'quotes', 'candles'])
  expect(done.every(({ overtaken }) => overtaken === 0)).toBe(true)
  expect(done.find(({ source }) => source === 'quotes')!.written).toBeGreaterThan(4)
  const seen = await keysOf(reader.client)
  await rebuildProjections({ ...parts(), families: familiesOf(['market']) }, new AbortController().signal)
  expect(await keysOf(reader.client)).toEqual(seen)
})

it('a rebuild that is told to stop says what is not whole, and writes nothing of it', async () => {
  await reader.client.flushall()
  const stop = new AbortController()
  const { sources, left } = await rebuildProjections(parts(), stop.signal, ({ source }) => {
    if (source === 'tables') stop.abort()
  })
  expect(sources.map(({ source }) => source)).toEqual(['ledger', 'analytics', 'insights', 'tables'])
  expect(left).toEqual(['funding', 'quotes', 'candles'])
  expect(Object.keys(await keysOf(reader.client))).not.toContain('bulk_tickers:alpha')
})

it('families are named as PROJECTIONS names them', () => {
  expect([...familiesOf(familyNames('nof0,ticks'))]).toEqual(['nof0', 'ticks'])
  expect(familiesOf(familyNames('')).size).toBe(0)
  expect(() => familiesOf(['books'])).toThrow(/no family of projections "books"/)
})
