// From a line of redis-cli to a row: the bridge checks and lifts, the worker books each record once.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenBus, openBus, openRelay, partitionKeys } from '../../src/bus/index.ts'
import { CACHE_DROPS, inputRecords, insightRecords, rejectedInput } from '../../src/catalog/index.ts'
import { bookRecords, insightEmitter } from '../../src/insights/index.ts'
import { readConfig, runTasks, systemClock } from '../../src/kernel/index.ts'
import { bridgeTasks, marketEmitter, RECORD_REASONS } from '../../src/market/index.ts'
import { readRecord } from '../../src/market/read-record.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { openVenues } from '../../src/venues/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { KINDS, NOW, RECORDS } from './records.ts'

const INPUT = partitionKeys(inputRecords.name, 0).entries

let redis: TestRedis
let client: Redis
let test: TestDatabase
let bus: OpenBus
const stop = new AbortController()
let running: Promise<unknown>[] = []
const passed: string[] = []
const rejected: string[] = []

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
  test = await openTestDatabase('sqlite')
  bus = openBus({ url: redis.url, clock: systemClock })
  const relay = openRelay({
    ...{ bus, database: test.database, streams: [] },
    speakers: { [CACHE_DROPS]: async () => {} },
  })
  const events = insightEmitter()
  events.on('passed', ({ kind, reason }) => void passed.push(`${kind} ${reason}`))
  const market = marketEmitter()
  market.on('rejected', ({ from, reason }) => void rejected.push(`${from} ${reason}`))
  const config = readConfig({})
  const bridge = { bus, config, clock: systemClock, events: market, venues: openVenues(config) }
  const worker = { bus, db: test.database, clock: systemClock, events, nudge: relay.nudge }
  running = [...bridgeTasks(bridge), bookRecords(worker)].map((task) => runTasks([task], stop.signal))
})
afterAll(async () => {
  stop.abort()
  await Promise.all(running)
  await bus.close()
  await closeRedis(client)
  await test.close()
  await redis.stop()
})

const booked = () => test.database.read(({ sql, t }) => sql.$count(t.inbox))
const send = (value: unknown) => client.xadd(INPUT, '*', 'data', JSON.stringify(value))

describe('an outside program', () => {
  it('sends records of each kind, is told what is wrong with others, and nothing is booked twice', async () => {
    for (const kind of KINDS) await send(RECORDS[kind])
    const { trader, exchangeProvider, marketProvider } = RECORDS.trader
    // As programs write numbers and times.
    await send({
      ...{ kind: 'trader', trader: `${trader}-2`, exchangeProvider, marketProvider, allocationPct: 0.1 },
      time: new Date(NOW).toISOString(),
    })
    await send({ ...RECORDS.score, scoer: 3 })
    await send([RECORDS.score])
    // Again, and with its fields in another order: under the same id, which its stream knows.
    for (const kind of KINDS) {
      await send(Object.fromEntries(Object.entries(RECORDS[kind]).reverse()))
    }
    await eventually(async () => (await booked()) === KINDS.length + 1)
    const traders = await test.database.read(({ sql, t }) =>
      sql.select().from(t.traderStates).orderBy(t.traderStates.trader),
    )
    expect(traders).toMatchObject([
      { allocationPct: '12.5', lastDecisionAt: NOW - 5, pauseUntil: null },
      { allocationPct: '0.1', lastDecisionAt: null, updatedAt: NOW, cooldown: {} },
    ])
    const kept = await eventually(async () => {
      const found = await bus.readBack(rejectedInput, 0, '0-0', 10)
      return found.length === 2 ? found.map(({ data }) => data) : undefined
    })
    expect(kept).toMatchObject([
      { reason: 'unknown_field', details: [expect.stringContaining('"scoer"')], rejected: 1 },
      { reason: 'bad_shape', channel: expect.stringContaining('input.records') },
    ])
    expect(rejected).toEqual(['records unknown_field', 'records bad_shape'])
    await eventually(async () => {
      const { partitions } = await bus.status(inputRecords)
      return partitions.every(({ groups }) => groups.every(({ lag }) => lag === 0))
    })
    const { partitions } = await bus.status(insightRecords as never)
    expect(partitions.reduce((sum, { lastSequence }) => sum + lastSequence, 0)).toBe(KINDS.length + 1)
    expect(passed).toEqual([])
  })

  it('whose record is delivered anew finds it booked', async () => {
    await bus.seekGroup(insightRecords as never, 'insights', 'start')
    await eventually(() => passed.length === KINDS.length + 1)
    expect(new Set(passed)).toEqual(new Set(KINDS.map((kind) => `${kind} duplicate`)))
    expect(await test.database.read(({ sql, t }) => sql.$count(t.conversationMessages))).toBe(1)
  })
})

describe('docs/INSIGHTS.md', () => {
  const document = readFileSync(join(import.meta.dirname, '../../docs/INSIGHTS.md'), 'utf8')

  it('has an example of each kind that is booked as it is pasted', async () => {
    const lines = [...document.matchAll(/^redis-cli .*XADD .*$/gm)].map(([line]) => line)
    const [kept, before] = [rejected.length, await booked()]
    const env = { ...process.env, REDIS_PORT: String(redis.port) }
    for (const line of lines) execFileSync('sh', ['-c', line], { env })
    await eventually(async () => (await booked()) === before + lines.length)
    expect(lines.map((line) => /"kind":"(\w+)"/.exec(line)?.[1])).toEqual(KINDS)
    expect(rejected).toHaveLength(kept)
  })

  it('explains exactly the reasons that exist', () => {
    const rows = [...document.matchAll(/^\| `(\w+_\w+)` \| (.+\.) \|$/gm)].map(([, reason, what]) => [
      reason,
      what,
    ])
    expect(Object.fromEntries(rows)).toEqual(RECORD_REASONS)
  })
})

describe('a record', () => {
  const reasonOf = (value: unknown) => {
    const read = readRecord(value, NOW)
    return 'reason' in read ? `${read.reason}: ${read.detail}` : 'good'
  }
  const BAD: readonly (readonly [value: unknown, what: RegExp])[] = [
    ['text', /^bad_shape: a record is an object/],
    [{ ...RECORDS.score, kind: 'scores' }, /^unknown_kind: kind: .*message/],
    [{ ...RECORDS.score, symbol: undefined }, /^missing_field: symbol is missing/],
    [{ ...RECORDS.score, symbol: undefined, symbl: 'A' }, /^missing_field: symbol is missing; .*"symbl"/],
    [{ ...RECORDS.levels, levels: undefined }, /^missing_field: levels is missing/],
    [{ ...RECORDS.score, score: '71' }, /^bad_value: score: .*number/],
    [{ ...RECORDS.score, symbol: 'A\nB' }, /^bad_value: symbol: holds a control character/],
    [{ ...RECORDS.message, content: 'a\0b' }, /^bad_value: content: holds a zero character/],
    [{ ...RECORDS.message, content: '\ud83d' }, /^bad_value: content: .*half of a pair/],
    [{ ...RECORDS.levels, timeframe: '15 minutes' }, /^bad_value: timeframe/],
    [{ ...RECORDS.memory, ttlMs: 0 }, /^bad_value: ttlMs/],
    [{ ...RECORDS.score, time: 'yesterday' }, /^bad_time: time/],
    [{ ...RECORDS.score, time: NOW + 3_600_001 }, /^bad_time: time is 3600001 ms ahead/],
    [{ ...RECORDS.preference, vaule: 1 }, /^unknown_field: .*"vaule"/],
  ]

  it.each(BAD)('that is wrong is refused with what is wrong: %j', (value, what) => {
    expect(reasonOf(value)).toMatch(what)
  })

  it('has an example here for every reason', () => {
    const reasons = BAD.map(([value]) => reasonOf(value).split(':')[0])
    expect(new Set(reasons)).toEqual(new Set(Object.keys(RECORD_REASONS)))
  })

  it('is an event of its content', () => {
    const [one, other] = [RECORDS.score, { ...RECORDS.score, score: 71.50001 }].map((value) =>
      readRecord(value, NOW),
    )
    expect(one).toMatchObject({ data: RECORDS.score, time: NOW })
    expect(readRecord({ ...RECORDS.score }, NOW + 5)).toMatchObject({ id: (one as { id: string }).id })
    expect((other as { id: string }).id).not.toBe((one as { id: string }).id)
  })
})
