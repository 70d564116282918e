import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { JOB_PREFIX, JOBS, type WorkerReport } from '../../src/catalog/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type RunningConsole, startConsole } from './running-console.ts'

let redis: TestRedis
let jobs: Jobs<typeof JOBS>
let gateway: RunningConsole

beforeAll(async () => {
  redis = await startRedis()
  const log = openLog({ level: 'silent', name: 'test' })
  jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
})
afterEach(() => gateway.stop())
afterAll(async () => {
  await jobs.close()
  await redis.stop()
})

const ok = { ok: true, detail: 'answers' }
const report = (name: string, pid: number, booked: number): WorkerReport => ({
  id: `host:${pid}:boot`,
  name,
  pid,
  startedAt: 1,
  uptimeMs: 60_000,
  rssBytes: 90_000_000,
  heapBytes: 30_000_000,
  loopDelayP99Ms: 12.5,
  counters: [
    ['sluice_ledger_booked_total', { kind: 'fill' }, booked],
    ['sluice_of_another_release_total', {}, 1],
  ],
  troubles: [],
})

describe('health', () => {
  it('is ready when every part answers', async () => {
    gateway = await startConsole(jobs)
    const response = await gateway.get('/ready')
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ ready: true, parts: { migrations: { ok: true } } })
    expect(await (await gateway.get('/live')).json()).toEqual({ live: true })
  })

  it('is not ready while one part does not answer, and says which; it lives all the same', async () => {
    const database = { ok: false, detail: 'no answer' }
    gateway = await startConsole(jobs, { ready: async () => ({ redis: ok, database, migrations: ok }) })
    const response = await gateway.get('/ready')
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ ready: false, parts: { database: { ok: false } } })
    expect((await gateway.get('/live')).status).toBe(200)
    const health = await gateway.get('/health')
    expect(health.status).toBe(503)
    expect(await health.json()).toMatchObject({ status: 'down' })
  })

  it('answers in time although a check hangs', async () => {
    gateway = await startConsole(jobs, { ready: () => new Promise(() => undefined) })
    const response = await gateway.get('/ready')
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('did not answer within')
  })

  it('is degraded without workers and ok with one', async () => {
    let workers: WorkerReport[] = []
    gateway = await startConsole(jobs, { workers: async () => workers })
    expect(await (await gateway.get('/health')).json()).toMatchObject({ status: 'degraded' })
    await gateway.stop()
    workers = [report('ledger', 1, 1)]
    gateway = await startConsole(jobs, { workers: async () => workers })
    expect(await (await gateway.get('/health')).json()).toMatchObject({ status: 'ok' })
  })

  it('is degraded while something cannot be stored for seconds, and says who, what, since when and why', async () => {
    const trouble = (forMs: number) => ({
      ...{ what: 'ticks of 2026-01-19', reason: 'the disk is full', since: Date.UTC(2026, 0, 19), forMs },
    })
    let troubles = [trouble(1_000)]
    const workers = async () => [{ ...report('ticks', 7, 1), troubles }]
    gateway = await startConsole(jobs, { workers })
    expect(await (await gateway.get('/health')).json()).toMatchObject({ status: 'ok' })
    await gateway.stop()
    troubles = [trouble(12_000)]
    gateway = await startConsole(jobs, { workers })
    const response = await gateway.get('/health')
    expect(response.status).toBe(200)
    const detail =
      'ticks host:7:boot cannot store ticks of 2026-01-19 since 2026-01-19T00:00:00.000Z (12 s): the disk is full'
    expect(await response.json()).toMatchObject({
      status: 'degraded',
      parts: { stores: { ok: false, detail } },
    })
    const series =
      'sluice_worker_trouble_seconds{worker="ticks",process="host:7:boot",what="ticks of 2026-01-19"} 12'
    expect(await (await gateway.get('/metrics')).text()).toContain(series)
  })
})

describe('metrics', () => {
  it('shows streams, workers, books and the process itself', async () => {
    gateway = await startConsole(jobs, {
      workers: async () => [report('ledger', 1, 7), report('ledger', 2, 5)],
    })
    const response = await gateway.get('/metrics')
    expect(response.headers.get('content-type')).toContain('text/plain')
    const text = await response.text()
    for (const line of [
      'sluice_up{part="streams"} 1',
      'sluice_stream_published_total{stream="market.quotes"} 200',
      'sluice_group_lag_entries{stream="market.quotes",group="readers"} 6',
      'sluice_group_oldest_seconds{stream="market.quotes",group="readers"} 1.5',
      'sluice_worker_resident_memory_bytes{worker="ledger",process="host:2:boot"} 90000000',
      'sluice_worker_loop_delay_p99_seconds{worker="ledger",process="host:1:boot"} 0.0125',
      'sluice_ledger_booked_total{worker="ledger",process="host:1:boot",kind="fill"} 7',
      'sluice_ledger_booked_total{worker="ledger",process="host:2:boot",kind="fill"} 5',
      'sluice_executions_total 9',
      'sluice_realized_profit{currency="USDT"} 41.22',
      'process_cpu_user_seconds_total',
    ]) {
      expect(text).toContain(line)
    }
    expect(text).not.toContain('of_another_release')
  })

  it('is well-formed: every series has help and type, once, and follows the naming rules', async () => {
    gateway = await startConsole(jobs, { workers: async () => [report('ledger', 1, 7)] })
    const text = await (await gateway.get('/metrics')).text()
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
      ([, name, type]) => [name!, type!] as const,
    )
    expect(new Set(types.map(([name]) => name)).size).toBe(types.length)
    for (const [name, type] of types.filter(([name]) => name.startsWith('sluice_'))) {
      expect(name.endsWith('_total'), `${name} is a ${type}`).toBe(type === 'counter')
    }
    for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
      expect(line).toMatch(/^[a-z_][a-z0-9_]*(\{[^}]*\})? (-?[0-9.e+-]+|Nan|[+-]Inf)$/i)
    }
  })

  it('shows the rest when a part fails, and that it failed', async () => {
    gateway = await startConsole(jobs, {
      streams: async () => {
        throw new Error('away')
      },
    })
    const response = await gateway.get('/metrics')
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).toContain('sluice_up{part="streams"} 0')
    expect(text).toContain('sluice_up{part="workers"} 1')
  })
})
