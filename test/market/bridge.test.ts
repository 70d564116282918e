import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type OpenBus, openBus, partitionKeys, partitionOf } from '../../src/bus/index.ts'
import {
  type InputRejected,
  inputChannels,
  inputFunding,
  inputQuotes,
  marketFunding,
  marketQuotes,
  rejectedInput,
} from '../../src/catalog/index.ts'
import { readConfig, runTasks, systemClock } from '../../src/kernel/index.ts'
import { bridgeTasks, type MarketEmitter, marketEmitter } from '../../src/market/index.ts'
import { openOutbound } from '../../src/market/outbound.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { openVenues } from '../../src/venues/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const config = readConfig({})
const TICKER = inputChannels.ticker('EX1', 'BTC/BRL')
const INPUT = partitionKeys(inputQuotes.name, 0).entries

interface Running {
  readonly events: MarketEmitter
  readonly counts: Record<string, number>
  stop(): Promise<void>
}

let server: TestRedis
let client: Redis
let bus: OpenBus
let running: Running[]

beforeAll(async () => {
  server = await startRedis()
  client = connectRedis(server.url, 'writer')
  await ready(client, 15_000)
})
afterAll(async () => {
  await closeRedis(client)
  await server.stop()
})
beforeEach(async () => {
  await client.flushall()
  bus = openBus({ url: server.url, clock: systemClock })
  running = []
})
afterEach(async () => {
  await Promise.all(running.map((bridge) => bridge.stop()))
  await bus.close()
})

/** Resolves when the bridge hears the input channels. */
async function startBridge(): Promise<Running> {
  const events = marketEmitter()
  const counts: Record<string, number> = {}
  const count = (name: string, n: number) => {
    counts[name] = (counts[name] ?? 0) + n
  }
  events.on('accepted', (fact) => count(`accepted ${fact.from}`, fact.count))
  events.on('rejected', (fact) => count(`rejected ${fact.reason}`, fact.count))
  events.on('lost', (fact) => count(`lost ${fact.reason}`, fact.count))
  // What a stopped bridge had fetched and not handled goes to the other after this time.
  const own = openBus({ url: server.url, clock: systemClock, visibilityMs: 1_000 })
  const stopping = new AbortController()
  let done = Promise.resolve()
  await new Promise<void>((onListening) => {
    const options = { bus: own, venues: openVenues(config), config, clock: systemClock, events, onListening }
    done = runTasks(bridgeTasks(options), stopping.signal)
  })
  const bridge: Running = {
    events,
    counts,
    async stop() {
      stopping.abort()
      await done
      await own.close()
    },
  }
  running.push(bridge)
  return bridge
}

const tick = (i: number) => ({ bid: 100 + i, ask: 101 + i, bidSize: 1, askSize: 1, time: Date.now() })
const stored = async (symbol = 'BTC/BRL') =>
  bus.readBack(marketQuotes, partitionOf(marketQuotes, symbol), '0-0', 10_000)
const rejected = async () =>
  (await bus.readBack(rejectedInput, 0, '0-0', 1_000)).map((entry) => entry.data as InputRejected)
const bids = (entries: Awaited<ReturnType<typeof stored>>) =>
  entries.map((entry) => entry.data.quotes[0]!.bids[0]![0] - 100).sort((a, b) => a - b)
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)

describe('the bridge', () => {
  it('lifts what is published on input channels into the market', async () => {
    await startBridge()
    await client.publish(TICKER, JSON.stringify(tick(7)))
    const [entry] = await eventually(async () => {
      const entries = await stored()
      return entries.length > 0 ? entries : undefined
    })
    expect(entry!.data).toMatchObject({ venue: 'EX1', board: 'BTC/BRL', simulated: false })
    expect(Math.abs(entry!.time - Date.now())).toBeLessThan(60_000)
  })

  it('keeps bad input with its reason, and good input passes between', async () => {
    await startBridge()
    const bad = ['not json', JSON.stringify({ ...tick(1), bid: -5 }), `"${'x'.repeat(10_000_000)}"`]
    for (const text of bad) await client.publish(TICKER, text)
    await client.publish(TICKER, JSON.stringify(tick(1)))
    await client.publish(inputChannels.ticker('nowhere', 'BTC/BRL'), JSON.stringify(tick(1)))
    await eventually(async () => (await stored()).length === 1 && (await rejected()).length === 4)
    const kept = await rejected()
    expect(kept.map((r) => r.reason).sort()).toEqual(['bad_price', 'not_json', 'too_large', 'unknown_venue'])
    expect(kept.find((r) => r.reason === 'too_large')).toMatchObject({ bytes: 10_000_002 })
    expect(running[0]!.counts).toMatchObject({
      'rejected bad_price': 1,
      'rejected not_json': 1,
      'accepted channel': 1,
    })
  })

  it('stores each channel message once when two run, and all of them when one of the two is stopped midway', async () => {
    const [first] = [await startBridge(), await startBridge()]
    for (const i of upTo(300)) {
      await client.publish(TICKER, JSON.stringify(tick(i)))
      if (i === 150) void first.stop()
      if (i % 30 === 0) await client.publish(TICKER, 'not json')
    }
    await eventually(async () => (await stored()).length >= 300)
    expect(bids(await stored())).toEqual(upTo(300))
    await eventually(async () => (await rejected()).length >= 1)
    expect(await rejected()).toHaveLength(1)
  })

  it('lifts what is added to the input stream, acknowledges what is bad after it is kept, and loses nothing', async () => {
    const [first] = [await startBridge(), await startBridge()]
    const quote = (i: number) => ({ ...tick(i), venue: 'EX1', symbol: 'BTC/BRL' })
    for (const i of upTo(300)) {
      await client.xadd(INPUT, '*', 'data', JSON.stringify(quote(i)))
      if (i === 100) await client.xadd(INPUT, '*', 'data', JSON.stringify({ ...quote(i), ask: 1 }))
      if (i === 120) await client.xadd(INPUT, '*', 'data', '{"venue":')
      if (i === 150) void first.stop()
    }
    await eventually(async () => (await stored()).length >= 300)
    expect(bids(await stored())).toEqual(upTo(300))
    expect(await eventually(rejected)).toMatchObject([{ reason: 'crossed' }])
    const dead = await eventually(async () => {
      const letters = await bus.deadLetters(inputQuotes, 10)
      return letters.length > 0 ? letters : undefined
    })
    expect(dead).toMatchObject([{ group: 'bridge', data: '{"venue":' }])
    await eventually(async () => (await client.xpending(INPUT, 'bridge'))[0] === 0)
  })
})

it('lifts funding from its channel and its stream, once when two bridges hear it, and keeps what is bad', async () => {
  await startBridge()
  await startBridge()
  const said = { fundingTime: Date.UTC(2026, 0, 1), time: Date.now() }
  await client.publish(inputChannels.funding('EX1', 'BTC/BRL'), JSON.stringify({ ...said, rate: '0.0001' }))
  const more = [
    { venue: 'EX2', symbol: 'BTC/BRL', rate: '-0.0002', ...said },
    { venue: 'EX2', symbol: 'BTC/BRL', markPx: '5', ...said },
    { venue: 'EX2', symbol: 'BTC/BRL', rate: '7', ...said },
  ]
  await client.xadd(partitionKeys(inputFunding.name, 0).entries, '*', 'data', JSON.stringify(more))
  const found = async () => {
    const partitions = upTo(marketFunding.partitions)
    return (await Promise.all(partitions.map((i) => bus.readBack(marketFunding, i, '0-0', 100)))).flat()
  }
  await eventually(async () => (await found()).length === 3 && (await rejected()).length === 1)
  expect((await found()).map(({ data: { type, venue } }) => `${type} ${venue}`).sort()).toEqual([
    'context EX2',
    'funding EX1',
    'funding EX2',
  ])
  expect(await rejected()).toMatchObject([
    { reason: 'bad_rate', details: ['bad_rate: item 2: rate is "7"'], rejected: 1 },
  ])
})

describe('what waits to be published', () => {
  it('is stored after Redis has come back, and what has no room is refused', async () => {
    const events = marketEmitter()
    const outbound = openOutbound({ bus, clock: systemClock, events, max: 3 })
    const waits: string[] = []
    events.on('waiting', ({ reason }) => waits.push(reason))
    const stopping = new AbortController()
    await server.kill()
    const done = outbound.task(stopping.signal)
    const eventOf = (i: number) => ({
      stream: rejectedInput as never,
      id: `event-${i}`,
      data: { channel: 'c', reason: 'r', details: [], rejected: 1, excerpt: '', bytes: 0, sha256: '' },
    })
    expect([outbound.offer([eventOf(1), eventOf(2)]), outbound.offer([eventOf(3), eventOf(4)])]).toEqual([
      true,
      false,
    ])
    await eventually(() => waits.length > 0)
    await server.restart()
    await eventually(async () => (await rejected()).length === 2)
    stopping.abort()
    await done
  })
})
