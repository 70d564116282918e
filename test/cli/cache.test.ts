// Cached answers as a person sees and drops them: what the commands do, on a real server.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openViews, type Views } from '../../src/cache/index.ts'
import { latestTrades, statusTotals } from '../../src/catalog/index.ts'
import { invalidate, showCache, showEntry } from '../../src/cli/cache.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { connectRedis } from '../../src/redis/index.ts'
import { sluice } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const TOTALS = { trades: 1, fills: 2, profit: {} }
const before = process.env['REDIS_URL']
let redis: TestRedis
let views: Views

beforeAll(async () => {
  redis = await startRedis()
  process.env['REDIS_URL'] = redis.url
  const connect = (role: 'cache' | 'subscriber') =>
    connectRedis(redis.url, role === 'cache' ? 'writer' : role)
  views = openViews({ connect, clock: systemClock })
})
afterAll(async () => {
  await views.close()
  await redis.stop()
  if (before === undefined) delete process.env['REDIS_URL']
  else process.env['REDIS_URL'] = before
})

/** What a command says as JSON. */
async function said(work: (terminal: Parameters<typeof showCache>[0]) => Promise<unknown>) {
  const results: unknown[] = []
  const nothing = () => undefined
  await work({
    json: true,
    colours: false,
    result: (value) => void results.push(value),
    line: nothing,
    note: nothing,
  })
  return results
}

it('are counted, shown, and dropped by key, by tag and all together', async () => {
  const shown = (name: string, ...key: string[]) => said((terminal) => showEntry(name, key, terminal))
  const drop = (name: string | undefined, key: string[], options = {}) =>
    said((terminal) => invalidate(name, key, { yes: true, ...options }, terminal))
  const fill = async () => {
    await eventually(async () => {
      await views.get(statusTotals, [], async () => TOTALS)
      for (const limit of [10, 20]) await views.get(latestTrades, [limit], async () => [])
      const [facts] = await said(showCache)
      return (facts as { views: unknown[] }).views.length === 2
    })
  }
  await fill()
  expect(await said(showCache)).toMatchObject([
    {
      ...{ told: 0, tags: 1 },
      views: [
        { view: 'totals', answers: 1, loading: 0, failed: 0 },
        { view: 'trades', answers: 2, loading: 0, failed: 0 },
      ],
    },
  ])
  expect(await shown('totals')).toMatchObject([
    { found: true, value: JSON.stringify(TOTALS), version: 1, leaseMs: 0 },
  ])
  expect(await drop('totals', [])).toEqual([{ dropped: 'totals:' }])
  expect(await shown('totals')).toEqual([{ place: 'totals:', found: false }])
  expect(await drop(undefined, [], { tag: 'trades' })).toEqual([{ dropped: 'tag trades' }])
  expect(await views.get(latestTrades, [10], async () => [])).toEqual([])
  expect(await said(showCache)).toMatchObject([{ told: 2 }])
  await drop(undefined, [], { all: true })
  expect(await said(showCache)).toMatchObject([{ views: [] }])
})

it('are named as the catalog names them', async () => {
  const refused = { code: 'USAGE' }
  await expect(said((terminal) => showEntry('trade', [], terminal))).rejects.toMatchObject({
    ...{ ...refused, message: expect.stringContaining('allowed: opportunities, trades') },
  })
  await expect(said((terminal) => showEntry('trades', [], terminal))).rejects.toMatchObject({
    ...{ ...refused, message: expect.stringContaining('The key of trades is <limit>') },
  })
  await expect(said((terminal) => invalidate(undefined, [], {}, terminal))).rejects.toMatchObject(refused)
  const unasked = await sluice(['cache', 'invalidate', '--all'], { env: { REDIS_URL: redis.url } }).ended
  expect(unasked).toMatchObject({ code: 2, stdout: '' })
  expect(unasked.stderr).toContain(
    'Drop every cached answer, in every process? There is no terminal to ask on',
  )
})
