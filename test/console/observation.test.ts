import { Writable } from 'node:stream'
import { EventEmitter } from 'eventemitter3'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { arbitrageEmitter, detectorEmitter } from '../../src/arbitrage/index.ts'
import { busEmitter, type StreamStatus } from '../../src/bus/index.ts'
import type { CacheEmitter } from '../../src/cache/index.ts'
import { marketQuotes, projectionEmitter, workerKeys } from '../../src/catalog/index.ts'
import { observe, openCounters, readReports, reportWorker, statusLine } from '../../src/console/index.ts'
import { openMeter } from '../../src/console/meter.ts'
import { RULES } from '../../src/console/rules.ts'
import { lineOf } from '../../src/console/status-line.ts'
import type { DatabaseEmitter } from '../../src/db/index.ts'
import { jobEmitter } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { ledgerEmitter } from '../../src/ledger/index.ts'
import { lockEmitter } from '../../src/locks/index.ts'
import { marketEmitter } from '../../src/market/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let redis: TestRedis
let client: Redis
beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
})
afterAll(async () => {
  await closeRedis(client)
  await redis.stop()
})

function logged() {
  const lines: Record<string, unknown>[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  return { lines, log: openLog({ level: 'info', name: 'test', destination }) }
}

describe('observation', () => {
  it('has a rule for every emitter and listens to each', () => {
    const emitters = {
      bus: busEmitter(),
      locks: lockEmitter(),
      cache: new EventEmitter() as CacheEmitter,
      database: new EventEmitter() as DatabaseEmitter,
      jobs: jobEmitter(),
      market: marketEmitter(),
      detector: detectorEmitter(),
      arbitrage: arbitrageEmitter(),
      ledger: ledgerEmitter(),
      projections: projectionEmitter(),
    }
    observe(emitters, { clock: systemClock, log: logged().log })
    for (const [part, emitter] of Object.entries(emitters)) {
      const rules = Object.keys(RULES[part as keyof typeof RULES])
      expect(emitter.eventNames().sort(), part).toEqual(rules.sort())
    }
  })

  it('counts by the labels of the fact', () => {
    const bus = busEmitter()
    const counters = observe({ bus }, { clock: systemClock, log: logged().log })
    for (const count of [3, 4]) bus.emit('handled', { stream: 's', group: 'a', count, tookMs: 500 })
    bus.emit('handled', { stream: 's', group: 'b', count: 1, tookMs: 0 })
    expect(counters.list()).toEqual([
      ['sluice_bus_handled_total', { stream: 's', group: 'a' }, 7],
      ['sluice_bus_handle_seconds_total', { stream: 's', group: 'a' }, 1],
      ['sluice_bus_handled_total', { stream: 's', group: 'b' }, 1],
      ['sluice_bus_handle_seconds_total', { stream: 's', group: 'b' }, 0],
    ])
  })

  it('knows a level by its labels, and its newest value alone', () => {
    const projections = projectionEmitter()
    const counters = observe({ projections }, { clock: systemClock, log: logged().log })
    for (const at of [1_000, 3_000]) projections.emit('current', { family: 'nof0', at })
    projections.emit('current', { family: 'ticks', at: 2_000 })
    for (const result of ['written', 'written', 'overtaken'] as const) {
      projections.emit('put', { family: 'nof0', result })
    }
    projections.emit('failed', { source: 'quotes', reason: 'Redis has reached its memory limit' })
    expect(counters.list()).toEqual([
      ['sluice_projections_current_timestamp_seconds', { family: 'nof0' }, 3],
      ['sluice_projections_current_timestamp_seconds', { family: 'ticks' }, 2],
      ['sluice_projections_written_total', { family: 'nof0' }, 2],
      ['sluice_projections_overtaken_total', { family: 'nof0' }, 1],
      ['sluice_projections_failed_total', { source: 'quotes' }, 1],
    ])
  })

  it('logs a loss at once and what follows as a number', () => {
    const bus = busEmitter()
    const { lines, log } = logged()
    let now = 0
    const clock = { ...systemClock, monotonic: () => now }
    const counters = observe({ bus }, { clock, log })
    const lost = { stream: 's', group: 'g', partition: 0, count: 2, reason: 'trimmed' }
    for (let i = 0; i < 1_000; i += 1) bus.emit('lost', lost)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ level: 'error', part: 'bus', event: 'lost', stream: 's', count: 2 })
    bus.emit('lost', { ...lost, stream: 'other' })
    expect(lines).toHaveLength(2)
    now = 10_001
    bus.emit('lost', lost)
    expect(lines.slice(2).map((line) => line['times'])).toEqual([999, undefined])
    expect(counters.list()[0]).toEqual(['sluice_bus_lost_total', { stream: 's', group: 'g' }, 2_002])
  })
})

it('logs a server that is away once, however many places it disturbs, and other faults beside it', () => {
  const bus = busEmitter()
  const { lines, log } = logged()
  const counters = observe({ bus }, { clock: systemClock, log })
  for (let i = 0; i < 100; i += 1) {
    bus.emit('disturbed', { where: `partition ${i}`, reason: 'ECONNREFUSED', passing: true })
  }
  bus.emit('disturbed', { where: 'outbox', reason: 'row 7 stays', passing: false })
  expect(lines.map((line) => line['where'])).toEqual(['partition 0', 'outbox'])
  expect(counters.list()).toEqual([['sluice_bus_disturbed_total', {}, 101]])
})

describe('counters', () => {
  it('have a limit: labels that come from outside cannot fill the memory, and nothing goes uncounted', () => {
    const counters = openCounters()
    for (let i = 0; i < 3_000; i += 1) counters.add('sluice_arbitrage_opened_total', { symbol: `S${i}/X` }, 1)
    counters.add('sluice_arbitrage_opened_total', { symbol: 'S7/X' }, 1)
    const list = counters.list()
    expect(list).toHaveLength(1_001)
    expect(list[7]).toEqual(['sluice_arbitrage_opened_total', { symbol: 'S7/X' }, 2])
    expect(list.at(-1)).toEqual(['sluice_arbitrage_opened_total', { symbol: 'other' }, 2_000])
  })
})

const quiet = () => observe({}, { clock: systemClock, log: logged().log })

describe('worker reports', () => {
  it('are there while the worker runs and gone when it ends', async () => {
    const counters = observe({}, { clock: systemClock, log: logged().log })
    counters.add('sluice_jobs_failed_total', { job: 'trim' }, 2)
    const stop = new AbortController()
    const about = { redis: client, clock: systemClock, counters, everyMs: 20 }
    const running = ['b', 'a'].map((name) => reportWorker({ ...about, name, id: `${name}:1` })(stop.signal))
    const reports = await eventually(async () => {
      const found = await readReports(client)
      return found.length === 2 ? found : undefined
    })
    expect(reports.map((report) => report.name)).toEqual(['a', 'b'])
    expect(reports[0]).toMatchObject({
      id: 'a:1',
      pid: process.pid,
      counters: [['sluice_jobs_failed_total', { job: 'trim' }, 2]],
    })
    expect(reports[0]!.rssBytes).toBeGreaterThan(10_000_000)
    stop.abort()
    await Promise.all(running)
    expect(await readReports(client)).toEqual([])
    expect(await client.exists(workerKeys.list)).toBe(0)
  })

  it('expire, and a worker that fell silent is forgotten', async () => {
    await client.sadd(workerKeys.list, 'dead:1')
    expect(await readReports(client)).toEqual([])
    expect(await client.smembers(workerKeys.list)).toEqual([])
    const stop = new AbortController()
    const about = { redis: client, clock: systemClock, counters: quiet(), id: 'x:1' }
    const running = reportWorker({ ...about, name: 'x' })(stop.signal)
    await eventually(async () => (await client.pttl(workerKeys.report('x:1'))) > 0)
    stop.abort()
    await running
  })

  it('that cannot be read are left out', async () => {
    for (const [id, text] of [
      ['odd:1', '{"name":1}'],
      ['odd:2', 'not json'],
    ] as const) {
      await client.set(workerKeys.report(id), text)
      await client.sadd(workerKeys.list, id)
    }
    expect(await readReports(client)).toEqual([])
    await client.del(workerKeys.list, workerKeys.report('odd:1'), workerKeys.report('odd:2'))
  })

  it('never stop a worker whose Redis is away', async () => {
    const away = connectRedis('redis://127.0.0.1:1', 'writer')
    const failures: string[] = []
    const stop = new AbortController()
    const running = reportWorker({
      redis: away,
      clock: systemClock,
      name: 'w',
      counters: quiet(),
      everyMs: 10,
      onFailure: (reason) => failures.push(reason),
    })(stop.signal)
    await eventually(() => failures.length > 2)
    stop.abort()
    await running
    away.disconnect()
  })
})

const statusAt = (published: number, stream = marketQuotes.name): StreamStatus => ({
  stream,
  deadLetters: 0,
  members: {},
  partitions: [{ partition: 0, length: 1, lastSequence: published, groups: [] }],
})

describe('the meter', () => {
  it('tells the true rate of any steady flow', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.integer({ min: 100, max: 5_000 }),
        (rate, stepMs) => {
          const meter = openMeter()
          let measured = 0
          for (let ms = 0; ms <= 20_000; ms += stepMs) {
            measured = meter.read([statusAt((rate * ms) / 1_000)], ms).get(marketQuotes.name)!
          }
          expect(measured).toBeCloseTo(rate, 4)
        },
      ),
    )
  })

  it('begins anew when a stream was emptied, and never tells a negative rate', () => {
    const meter = openMeter()
    meter.read([statusAt(1_000)], 0)
    expect(meter.read([statusAt(10)], 1_000).get(marketQuotes.name)).toBe(0)
    expect(meter.read([statusAt(30)], 2_000).get(marketQuotes.name)).toBe(20)
  })

  it('forgets a burst that is over', () => {
    const meter = openMeter(5_000)
    meter.read([statusAt(0)], 0)
    meter.read([statusAt(9_000)], 1_000)
    for (let ms = 2_000; ms <= 12_000; ms += 1_000) meter.read([statusAt(9_000)], ms)
    expect(meter.read([statusAt(9_000)], 13_000).get(marketQuotes.name)).toBe(0)
  })
})

describe('the status line', () => {
  const seen = { opportunities: 12, open: 3, pending: 0, executed: 9, refused: 3, refusals: {} }
  const booked = { trades: 9, fills: 18, profit: { USDT: '41.2249', BRL: '-0.5' } }

  it('says it all in one line', () => {
    expect(lineOf(184.4, seen, booked, [statusAt(5)])).toBe(
      'quotes 184/s  opportunities 12 (3 open)  executed 9  refused 3  profit -0.50 BRL 41.22 USDT  lag 0',
    )
    expect(lineOf(0, seen, { ...booked, profit: {} }, [{ ...statusAt(5), deadLetters: 2 }])).toMatch(
      /profit 0 {2}lag 0 {2}dead letters 2$/,
    )
  })

  it('goes on and says so when the figures cannot be had', async () => {
    const lines: string[] = []
    let isAway = true
    const stop = new AbortController()
    const running = statusLine({
      clock: systemClock,
      everyMs: 5,
      streams: async () => {
        if (isAway) throw new Error('Redis is away')
        return [statusAt(1)]
      },
      arbitrageTotals: async () => seen,
      ledgerTotals: async () => booked,
      write: (line) => lines.push(line),
    })(stop.signal)
    await eventually(() => lines.some((line) => /^\d\d:\d\d:\d\d {2}no figures: Redis is away$/.test(line)))
    isAway = false
    await eventually(() => lines.some((line) => line.includes('executed 9')))
    stop.abort()
    await running
  })
})
