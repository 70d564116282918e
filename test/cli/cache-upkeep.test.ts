// `sluice cache warm`, `verify` and `rebuild` as a person or a program calls them, on a real server and a real database.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSqlCandles } from '../../src/candles/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { sluice } from '../support/command.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let redis: TestRedis
let test: TestDatabase
beforeAll(async () => {
  ;[redis, test] = await Promise.all([startRedis(), openTestDatabase('sqlite')])
})
afterAll(async () => {
  await test.close()
  await redis.stop()
})

async function cache(...args: string[]) {
  const env = { ...test.environment, REDIS_URL: redis.url }
  const { code, stdout, stderr } = await sluice(['cache', ...args, '--json'], { env }).ended
  return { code, said: stdout === '' ? undefined : JSON.parse(stdout), stderr }
}

/** Answers live for 10 s, and the commands that look at them may take longer on a busy machine. */
async function keepAnswers() {
  const client = connectRedis(redis.url, 'writer')
  await ready(client)
  for (const key of await client.keys('{cache}:*@1')) {
    const answer = (await client.get(key))!
    await client.set(key, `${Number(answer.slice(0, 13)) + 3_600_000}${answer.slice(13)}`)
  }
  await closeRedis(client)
}

it('warm what readers ask for, and find what was changed behind them', async () => {
  const { code, said } = await cache('warm')
  expect({ code, said }).toMatchObject({
    code: 0,
    said: {
      reports: [
        { view: 'trades', warmed: 2 },
        { view: 'equity', warmed: 2 },
        { view: 'positions' },
        { view: 'totals', warmed: 1 },
        { view: 'funding', warmed: 1 },
        { view: 'cycle', keys: 0 },
        { view: 'scores', warmed: 1 },
      ],
    },
  })
  await keepAnswers()
  expect(await cache('warm', 'totals')).toMatchObject({ code: 0, said: { reports: [{ skipped: 1 }] } })
  expect(await cache('verify')).toMatchObject({ code: 0, said: { answers: 8, equal: 8, wrong: [] } })
  // Somebody writes past the ledger, which would have told of it.
  await test.database.write(async ({ sql, t }) => {
    await sql.insert(t.positions).values({
      ...{
        venue: 'alpha',
        symbol: 'BTC/USDT',
        boughtQuantity: '1',
        boughtNotional: '100',
        soldQuantity: '0',
      },
      ...{ soldNotional: '0', fees: '0', lastPrice: '100', updatedAt: 1 },
    })
  })
  expect(await cache('verify')).toMatchObject({
    code: 1,
    said: { equal: 7, wrong: [{ view: 'positions', key: [], cached: '[]' }] },
  })
})

it('refuse a view that there is not', async () => {
  const { code, stderr } = await cache('warm', 'opportunities')
  expect(code).toBe(2)
  expect(stderr).toContain('allowed: trades, equity, positions, totals')
})

it('rebuild ends with 1 at Ctrl-C and says what it has written and what is not whole', async () => {
  const NOON = Date.UTC(2026, 0, 19, 12)
  // Enough that one key is there long before the last.
  const bars = Array.from({ length: 3_000 }, (_, n) => ({
    ...{ source: 'alpha', ticker: `T${n}/USDT`, interval: '1m' as const, time: NOON },
    ...{ open: 1, high: 1, low: 1, close: 1, volume: 1 },
  }))
  await openSqlCandles({ database: test.database, clock: systemClock }).write(bars)
  const client = connectRedis(redis.url, 'writer')
  await ready(client)
  const env = { ...test.environment, REDIS_URL: redis.url }
  const rebuilding = sluice(['cache', 'rebuild', 'candles', '--json'], { env })
  const written = async () => (await client.keys('ohlcv:*')).length
  await eventually(async () => (await written()) > 0)
  rebuilding.child.kill('SIGINT')
  const { code, stdout, stderr } = await rebuilding.ended
  const count = await written()
  await closeRedis(client)
  expect(code).toBe(1)
  expect(count).toBeLessThan(bars.length)
  const said = JSON.parse(stdout)
  expect(said).toMatchObject({ stopped: true, left: ['candles'], sources: [{ source: 'candles' }] })
  expect(said.sources[0].written).toBeGreaterThanOrEqual(count)
  const events = stderr.trim().split('\n')
  expect(JSON.parse(events.at(-1)!)).toMatchObject({ event: 'stopped' })
})
