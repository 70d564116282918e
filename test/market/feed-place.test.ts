import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type OpenBus, openBus, partitionKeys, partitionOf } from '../../src/bus/index.ts'
import { marketQuotes } from '../../src/catalog/index.ts'
import { readConfig, SluiceError, systemClock } from '../../src/kernel/index.ts'
import { type FeedPlace, feedTask, marketEmitter, openFeedPlace } from '../../src/market/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { openVenues } from '../../src/venues/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const SNAPSHOTS = 1_000
const folder = mkdtempSync(join(tmpdir(), 'sluice-place-'))
const path = join(folder, 'books.jsonl')
const PARTITION = partitionOf(marketQuotes, 'BTC/BRL')
let server: TestRedis
let bus: OpenBus
let client: Redis
let place: FeedPlace

beforeAll(async () => {
  const line = (i: number) =>
    JSON.stringify({ timestamp: 1_592_726_829 + i, exchange: 'EX1', bids: [[100, 1]], asks: [[200 + i, 1]] })
  writeFileSync(path, Array.from({ length: SNAPSHOTS }, (_, i) => line(i)).join('\n'))
  server = await startRedis()
  bus = openBus({ url: server.url, clock: systemClock })
  client = connectRedis(server.url, 'writer')
  await ready(client, 15_000)
})
beforeEach(async () => {
  await client.flushall()
  place = openFeedPlace(async () => client, config())
})
afterAll(async () => {
  await Promise.all([closeRedis(client), bus.close()])
  await server.stop()
  rmSync(folder, { recursive: true })
})

const config = () => readConfig({ FEED: `replay:${path}` })

/** Runs the feed; with a place it is cut off after that many steps. */
async function feed(from: FeedPlace | undefined, steps = Number.POSITIVE_INFINITY) {
  const stop = new AbortController()
  const own = from && {
    read: from.read,
    async keep(step: number) {
      await from.keep(step)
      if (step >= steps) stop.abort()
    },
  }
  const options = { bus, venues: openVenues(config()), config: config(), clock: systemClock }
  await feedTask({ ...options, events: marketEmitter(), ...(own && { place: own }) })(stop.signal)
}

const stored = async () =>
  (await bus.readBack(marketQuotes, PARTITION, '0-0', 10_000)).map(({ time }) => time)

/** As after dedupeMs. */
async function forgetIds() {
  const { idsNew, idsOld } = partitionKeys(marketQuotes.name, PARTITION)
  await client.unlink(idsNew, idsOld)
}

it('a feed that starts again goes on where it stopped, also when the stream has forgotten its ids', async () => {
  await feed(place, 400)
  const before = await stored()
  expect(before.length).toBeGreaterThanOrEqual(400)
  expect(before.length).toBeLessThan(SNAPSHOTS)
  await forgetIds()
  await feed(place)
  const all = await stored()
  // With the heartbeat at the end.
  expect(all).toHaveLength(SNAPSHOTS + 1)
  expect(all).toEqual([...all].sort((a, b) => a - b))
  await forgetIds()
  await feed(place)
  expect(await stored()).toEqual(all)
})

it('without a place the same start stores everything a second time', async () => {
  await feed(undefined)
  await forgetIds()
  await feed(undefined)
  expect(await stored()).toHaveLength(2 * (SNAPSHOTS + 1))
})

it('a place noted too early would lose what was not stored: a feed that gave up notes nothing more', async () => {
  const kept: number[] = []
  const stop = new AbortController()
  let calls = 0
  const publish: OpenBus['publish'] = async (events) => {
    calls += 1
    if (calls < 3) return bus.publish(events)
    stop.abort()
    throw new SluiceError('REDIS_UNAVAILABLE', 'away')
  }
  const watched = { read: place.read, keep: async (step: number) => void kept.push(step) }
  const options = { venues: openVenues(config()), config: config(), clock: systemClock, place: watched }
  await feedTask({ ...options, bus: { publish }, events: marketEmitter() })(stop.signal)
  expect(kept).toEqual([200, 400])
})
