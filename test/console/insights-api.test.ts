// What models and analyses say, over HTTP.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { JOB_PREFIX, JOBS } from '../../src/catalog/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { startConsole } from './running-console.ts'

let redis: TestRedis
let jobs: Jobs<typeof JOBS>
beforeAll(async () => {
  redis = await startRedis()
  const log = openLog({ level: 'silent', name: 'test' })
  jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
})
afterAll(async () => {
  await jobs.close()
  await redis.stop()
})

const json = async (response: Response) => (await response.json()) as Record<string, unknown>

it('answers what models and analyses say, and leaves out what has ended', async () => {
  const asked: unknown[] = []
  const answers =
    <T>(given: T) =>
    async (...key: unknown[]) => {
      asked.push(key)
      return given
    }
  const [time, ended] = [systemClock.now(), systemClock.now() - 1]
  const score = { symbol: 'TCS', score: 1, agentScores: {}, time, endsAt: time + 600_000 }
  const level = { symbol: 'TCS', timeframe: '4h', levels: [], time, endsAt: time + 600_000 }
  const own = await startConsole(jobs, {
    ...{ messages: answers([]), cycle: answers(null) },
    scores: async () => [score, { ...score, symbol: 'INFY', endsAt: ended }],
    levels: answers([{ ...level, timeframe: '1m', endsAt: ended }, level]),
  })
  try {
    const answered = []
    for (const path of [
      'conversations?model=a/b&limit=2',
      'last-decision?model=a',
      'scores',
      'levels?symbol=TCS',
    ])
      answered.push(await json(await own.get(`/api/${path}`)))
    expect(answered).toEqual([{ messages: [] }, { decision: null }, { scores: [score] }, { levels: [level] }])
    expect(asked).toEqual([['a/b', 2], ['a'], ['TCS']])
    for (const query of [
      '',
      '?model=',
      '?model=a&limit=101',
      `?model=${'x'.repeat(201)}`,
      '?model=a&model=b',
    ]) {
      const response = await own.get(`/api/conversations${query}`)
      expect(response.status, query).toBe(400)
      expect(await json(response)).toMatchObject({ error: { code: 'REQUEST_INVALID' } })
    }
  } finally {
    await own.stop()
  }
})
