// The files of ticks over HTTP: what everyone may see, and what only the token changes; on real files.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { JOB_PREFIX, JOBS } from '../../src/catalog/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { openLog, readConfig, systemClock } from '../../src/kernel/index.ts'
import { openArchiveCalls } from '../../src/ticks/archive-calls.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { DAY, demandAll, manyTicks, withStore } from '../ticks/day-file-ticks.ts'
import { quietFiles, type RunningConsole, startConsole } from './running-console.ts'

const TOKEN = 'correct-horse-battery'
const TICKS = manyTicks(2_000)
let redis: TestRedis
let jobs: Jobs<typeof JOBS>
let gateway: RunningConsole
let folder: string
const laterMs = 0

beforeAll(async () => {
  redis = await startRedis()
  folder = mkdtempSync(join(tmpdir(), 'sluice-admin-'))
  await withStore(folder, (store) => store.write(TICKS))
  const log = openLog({ level: 'silent', name: 'test' })
  jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
  const counters = [
    ['sluice_ticks_stored_total', { store: 'sqlite' }, 7],
    ['sluice_ticks_stored_total', { store: 'json' }, 5],
    ['sluice_bus_handled_total', {}, 3],
  ] as [string, Record<string, string>, number][]
  const about = {
    pid: 1,
    startedAt: 0,
    uptimeMs: 1,
    rssBytes: 1,
    heapBytes: 1,
    loopDelayP99Ms: 0,
    troubles: [],
  }
  gateway = await startConsole(
    jobs,
    { workers: async () => [{ id: 'a', name: 'ticks', ...about, counters }] },
    {
      token: TOKEN,
      clock: { ...systemClock, monotonic: () => laterMs },
      files: { ...quietFiles, ...openArchiveCalls(readConfig({ TICKS_DIR: folder })) },
    },
  )
})
afterAll(async () => {
  await gateway.stop()
  await jobs.close()
  await redis.stop()
  rmSync(folder, { recursive: true })
})

const get = async (path: string) => (await gateway.get(`/admin/history/${path}`)).json()
async function post(verb: string, body: unknown) {
  const response = await gateway.get(`/admin/history/${verb}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Record<string, unknown> & { error?: { code: string } }
  return { status: response.status, code: answer.error?.code, answer }
}

it('whoever has the token compresses and restores days, and all can see it', async () => {
  expect(await post('compress', { day: DAY })).toMatchObject({ status: 200, answer: { state: 'archived' } })
  const seen = { backend: 'sqlite', phase: null, ticks: TICKS.length, ageMs: 0 }
  expect(await get('stats')).toMatchObject({ ...seen, days: [{ day: DAY, state: 'archived' }] })
  expect((await post('restore', { day: DAY })).answer).toMatchObject({ day: DAY, state: 'open' })
  expect((await post('rotate', {})).answer).toMatchObject({
    days: [{ day: DAY, state: 'archived' }],
    failed: {},
  })
  await demandAll(folder, TICKS)
})

it('a day that is none, or not there, is refused, and so is a second change at once', async () => {
  for (const day of ['2026-1-1', '../../etc', '2026-01-19.db', '', 5, null]) {
    expect(await post('compress', { day })).toMatchObject({ status: 400, code: 'REQUEST_INVALID' })
  }
  expect(await post('rotate', { day: DAY })).toMatchObject({ status: 400 })
  const both = await Promise.all([post('verify', { day: '2020-01-01' }), post('verify', { day: DAY })])
  expect(both.map(({ code }) => code).sort()).toEqual(['DATABASE_BUSY', 'FILE_NOT_FOUND'])
  expect((await post('verify', { day: DAY })).answer).toMatchObject({ ticks: TICKS.length, problems: [] })
})

it('the keeping of ticks is told: its groups, and what its workers have counted', async () => {
  expect(await get('monitoring')).toMatchObject({
    ...{ backend: 'sqlite', workers: 1, counters: { sluice_ticks_stored_total: 12 } },
    groups: [],
  })
})

it('where ticks are kept otherwise there are no files of days', async () => {
  const calls = openArchiveCalls(readConfig({ TICKS_DIR: folder, TICKS_BACKEND: 'json' }))
  await expect(calls.list()).rejects.toMatchObject({ code: 'USAGE' })
})
