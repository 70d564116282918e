// Funding over HTTP, out of the caches and the database of a running gateway's kind.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FundingRow, JOB_PREFIX, JOBS } from '../../src/catalog/index.ts'
import type { FundingPage } from '../../src/funding/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { aRow, HOUR, SETTLED } from '../funding/events.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type RunningConsole, startConsole } from './running-console.ts'

let redis: TestRedis
let jobs: Jobs<typeof JOBS>
let gateway: RunningConsole
const pages: FundingPage[] = []
const venues: (string | undefined)[] = []
const rows: FundingRow[] = [0, 1].map((i) =>
  aRow({ fundingTime: SETTLED - i * HOUR, rate: '0.000658153991747989' }),
)

beforeAll(async () => {
  redis = await startRedis()
  const log = openLog({ level: 'silent', name: 'test' })
  jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
  gateway = await startConsole(jobs, {
    async fundingRates(venue) {
      venues.push(venue)
      return rows.slice(0, 1)
    },
    async fundingHistory(page) {
      pages.push(page)
      return rows.slice(0, page.limit)
    },
    contexts: async () => [],
  })
})
afterAll(async () => {
  await gateway.stop()
  await jobs.close()
  await redis.stop()
})

const RATES = '/api/v1/arbitrage/funding-rates'
const json = async (path: string) => (await gateway.get(path)).json()

it('answers the newest of all or of one, and pages of an instrument, with every digit', async () => {
  expect(await json(RATES)).toEqual({ fundingRates: rows.slice(0, 1) })
  expect(await json(`${RATES}/alpha`)).toEqual({ fundingRates: rows.slice(0, 1) })
  expect(venues).toEqual([undefined, 'alpha'])
  expect(await json(`${RATES}/alpha/btc-usdt?limit=2`)).toEqual({
    ...{ venue: 'alpha', symbol: 'BTC/USDT', next: SETTLED - HOUR, fundingRates: rows },
  })
  expect(await json(`${RATES}/alpha/BTC%2FUSDT?before=${SETTLED}`)).toMatchObject({ next: null })
  expect(pages).toEqual([
    { venue: 'alpha', symbol: 'BTC/USDT', before: undefined, limit: 2 },
    { venue: 'alpha', symbol: 'BTC/USDT', before: SETTLED, limit: 50 },
  ])
  expect(await json('/api/v1/market/contexts/alpha')).toEqual({ contexts: [] })
})

it('refuses what it does not understand, by name', async () => {
  const bad = [`${RATES}/al pha`, `${RATES}/alpha/BTCUSDT`, `${RATES}/alpha/a-b?before=yesterday`]
  const more = [`${RATES}/alpha/a-b?limit=0`, `${RATES}/alpha/a-b?page=2`]
  for (const path of [...bad, ...more]) {
    const response = await gateway.get(path)
    expect(response.status, path).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'REQUEST_INVALID' } })
  }
})
