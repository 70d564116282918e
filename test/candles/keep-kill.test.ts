// The worker `candles` as a process of its own, killed with -9 wherever it happens to be.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type OpenBus, openBus } from '../../src/bus/index.ts'
import { openCsvCandles } from '../../src/candles/csv-candles.ts'
import { TICK_INTERVALS } from '../../src/candles/fold-bars.ts'
import { openSqlCandles } from '../../src/candles/sql-candles.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { startWorker } from '../support/worker-process.ts'
import { barsIn, hear, hearNothing, openFiles } from './rig.ts'
import { barsByDefinition, type TestTick } from './ticks.ts'

let redis: TestRedis
let bus: OpenBus
let test: TestDatabase
let files: ReturnType<typeof openFiles>

beforeAll(async () => {
  redis = await startRedis()
  bus = openBus({ url: redis.url, clock: systemClock })
  test = await openTestDatabase('sqlite')
  files = openFiles()
})
afterAll(async () => {
  await bus.close()
  await redis.stop()
  await test.close()
  files.remove()
})

const start = () =>
  startWorker('candles', {
    ...test.environment,
    ...{ REDIS_URL: redis.url, DATA_DIR: files.dir, CANDLES_BACKEND: 'dual', LEASE_MS: '600' },
  })

it('is killed twice while it works, and the bars are those of the ticks, in the database and in the files', async () => {
  const from = Date.UTC(2026, 0, 5, 22)
  const ticks: TestTick[] = Array.from({ length: 2_000 }, (_, i) => {
    const heardAt = from + i * 3_100
    return { symbol: 'K/X', heardAt, time: heardAt - (i % 5 === 2 ? 45_000 : 0), mid: 100 + ((i * 31) % 29) }
  })
  const sql = openSqlCandles({ database: test.database, clock: systemClock })
  const bars = async () => (await sql.keys('alpha')).reduce((sum, { bars: count }) => sum + count, 0)
  for (const part of [0, 1]) {
    const worker = start()
    const before = await bars()
    await hear(bus, ticks.slice(part * 1_000, (part + 1) * 1_000))
    await eventually(async () => (await bars()) > before, { what: 'more bars', timeoutMs: 60_000 })
    worker.send('SIGKILL')
    await worker.ended
  }
  const last = start()
  await hearNothing(bus, 'K/X', from + 86_400_000 * 3)
  const expected = barsByDefinition(ticks)
  const csv = openCsvCandles({ dir: `${files.dir}/candles`, clock: systemClock })
  await eventually(
    async () => {
      expect(await barsIn(sql, 'K/X', TICK_INTERVALS)).toEqual(expected)
      expect(await barsIn(csv, 'K/X', TICK_INTERVALS)).toEqual(expected)
      return true
    },
    { what: 'all bars in both stores', timeoutMs: 60_000 },
  )
  last.send('SIGTERM')
  expect((await last.ended).code).toBe(0)
}, 180_000)
