import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenBus, openBus, partitionOf } from '../../src/bus/index.ts'
import { marketQuotes } from '../../src/catalog/index.ts'
import { readConfig, systemClock } from '../../src/kernel/index.ts'
import { feedTask, marketEmitter } from '../../src/market/index.ts'
import { openVenues } from '../../src/venues/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-feed-'))
let server: TestRedis
let bus: OpenBus
beforeAll(async () => {
  server = await startRedis()
  bus = openBus({ url: server.url, clock: systemClock })
})
afterAll(async () => {
  await bus.close()
  await server.stop()
  rmSync(folder, { recursive: true })
})

const entriesOf = (symbol: string) =>
  bus.readBack(marketQuotes, partitionOf(marketQuotes, symbol), '0-0', 10_000)

/** Runs the feed until it ends or `stopping` says so; what it counted. */
async function feed(environment: Record<string, string>, signal = new AbortController().signal) {
  const config = readConfig(environment)
  const events = marketEmitter()
  const counts = { accepted: 0, rejected: 0, lost: 0 }
  events.on('accepted', ({ count }) => {
    counts.accepted += count
  })
  events.on('rejected', ({ count }) => {
    counts.rejected += count
  })
  events.on('lost', ({ count }) => {
    counts.lost += count
  })
  await feedTask({ bus, venues: openVenues(config), config, clock: systemClock, events })(signal)
  return counts
}

describe('the feed', () => {
  it('publishes a recording once however often it is started, under its own times', async () => {
    const path = join(folder, 'books.jsonl')
    const line = (i: number) => {
      const [bids, asks] = [[[100 + i, 1]], [[i === 7 ? 1 : 200 + i, 1]]]
      return JSON.stringify({ timestamp: 1_592_726_829 + i, exchange: `EX${1 + (i % 2)}`, bids, asks })
    }
    writeFileSync(path, Array.from({ length: 600 }, (_, i) => line(i)).join('\n'))
    const first = await feed({ FEED: `replay:${path}` })
    expect(first).toEqual({ accepted: 599, rejected: 1, lost: 0 })
    const stored = await entriesOf('BTC/BRL')
    // The recording ends with a heartbeat of each venue.
    expect(stored).toHaveLength(599 + 2)
    expect(stored[0]).toMatchObject({ time: 1_592_726_829_000, data: { venue: 'EX1', simulated: false } })
    await feed({ FEED: `replay:${path}` })
    expect((await entriesOf('BTC/BRL')).map(({ id }) => id)).toEqual(stored.map(({ id }) => id))
  })

  it('publishes the simulated market, labelled as such, until it is told to stop', async () => {
    const stopping = new AbortController()
    const done = feed({ FEED: 'simulated', SIM_UPDATES_PER_SECOND: '50' }, stopping.signal)
    const [entry] = await eventually(async () => {
      const entries = await entriesOf('BTC/USDT')
      return entries.length > 10 ? entries : undefined
    })
    stopping.abort()
    expect(entry!.data.simulated).toBe(true)
    expect((await done).accepted).toBeGreaterThan(10)
  })

  it('rests when it is told to publish nothing', async () => {
    expect(await feed({ FEED: 'none' })).toEqual({ accepted: 0, rejected: 0, lost: 0 })
  })
})
