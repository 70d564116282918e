// Quotes from outside through two bridge processes, one of which is killed in the middle, with everything that may
// come by mistake in between.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  INPUT_PATTERNS,
  type InputRejected,
  inputQuotes,
  marketQuotes,
  rejectedInput,
} from '../../src/catalog/index.ts'
import { readReports } from '../../src/console/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { openSystem, type System } from '../support/system.ts'
import { readStream } from './books.ts'
import { BATCHED, CHANNEL, hostileMessages, INPUT, STREAMED, sendGood, sendHostile } from './outside-feed.ts'

const MESSAGES = 2_000
let system: System
let client: Redis

beforeEach(async () => {
  system = await openSystem('sqlite', { LEASE_MS: '800' })
  client = connectRedis(system.redis.url, 'writer')
  await ready(client, 15_000)
})
afterEach(async () => {
  await closeRedis(client)
  await system.close()
})

/** A channel message that nobody listens to is gone, so wait until that many bridges listen to all patterns. */
async function startBridges(count: number) {
  const bridges = Array.from({ length: count }, () => system.start('bridge'))
  await eventually(
    async () => {
      const clients = String(await client.client('LIST'))
      return (
        clients.split('\n').filter((line) => line.includes(` psub=${INPUT_PATTERNS.length} `)).length ===
        count
      )
    },
    { timeoutMs: 60_000, what: `${count} bridges listening` },
  )
  return bridges
}

/** The number that message `i` carries in its bid, in the order of the board. */
const boardOrder = async (symbol: string) =>
  (await readStream(system.bus, marketQuotes))
    .filter((entry) => entry.data.board === symbol)
    .map((entry) => entry.data.quotes[0]!.bids[0]![0] - 100)

const upTo = (which: (i: number) => boolean) => Array.from({ length: MESSAGES }, (_, i) => i).filter(which)
const rejected = async () =>
  (await readStream(system.bus, rejectedInput)).map((entry) => entry.data as InputRejected)

describe('feeding from outside', () => {
  it('stores each of 2,000 messages once and in order while one of two bridges is killed', {
    timeout: 120_000,
  }, async () => {
    const [first] = await startBridges(2)
    const startMs = Date.now() - 60_000
    for (let i = 0; i < MESSAGES; i += 1) {
      await sendGood(client, i, startMs)
      if (i === MESSAGES / 2) first!.send('SIGKILL')
    }
    const expected = {
      [CHANNEL]: upTo((i) => i % 4 !== 3),
      [BATCHED]: upTo((i) => i % 4 === 2),
      [STREAMED]: upTo((i) => i % 4 === 3),
    }
    const total = Object.values(expected).flat().length
    await eventually(async () => (await readStream(system.bus, marketQuotes)).length >= total, {
      timeoutMs: 60_000,
      what: `${total} stored quotes`,
    })
    for (const [symbol, numbers] of Object.entries(expected)) {
      expect(await boardOrder(symbol), symbol).toEqual(numbers)
    }
    expect(await rejected()).toEqual([])
    expect(await system.bus.deadLetters(inputQuotes, 10)).toEqual([])
  })

  it('keeps what is wrong with its reason and lets what is good pass in between', {
    timeout: 120_000,
  }, async () => {
    const hostile = hostileMessages(Date.now())
    const workers = [...(await startBridges(2)), system.start('detector'), system.start('executor')]
    const startMs = Date.now() - 60_000
    for (const [i, message] of hostile.entries()) {
      await sendHostile(client, message)
      for (let k = 0; k < 4; k += 1) await sendGood(client, 4 * i + k, startMs)
    }
    await client.xadd(INPUT, '*', 'nothing', 'of use')
    // Allowed, absurd, and nothing may come of it but a refusal further on.
    const huge = {
      venue: 'demo-a',
      symbol: STREAMED,
      bid: 1e307,
      ask: 1.7e308,
      bidSize: 1e308,
      askSize: 1e308,
    }
    await client.xadd(INPUT, '*', 'data', JSON.stringify({ ...huge, time: startMs + MESSAGES }))
    for (let k = 0; k < 4; k += 1) await sendGood(client, 4 * hostile.length + k, startMs)

    const last = 4 * hostile.length + 3
    const good = (which: (i: number) => boolean) => upTo((i) => i <= last && which(i))
    await eventually(async () => (await boardOrder(STREAMED)).at(-1) === last, {
      timeoutMs: 60_000,
      what: 'the last',
    })
    await eventually(async () => (await boardOrder(CHANNEL)).at(-1) === last - 1, {
      what: 'the last of the channels',
    })
    expect(await boardOrder(CHANNEL)).toEqual(good((i) => i % 4 !== 3))
    expect((await boardOrder(STREAMED)).filter((n) => n <= last)).toEqual(good((i) => i % 4 === 3))

    const reasonsOf = (kept: InputRejected[]) =>
      kept.filter(({ channel }) => channel.startsWith('market:')).map(({ reason }) => reason)
    // Through the stream what is no JSON becomes a dead letter, and so does the entry without data.
    await eventually(
      async () => {
        const [kept, dead] = [await rejected(), await system.bus.deadLetters(inputQuotes, 100)]
        return kept.length + dead.length === 2 * hostile.length + 1
      },
      { what: 'everything kept with its reason' },
    )
    const kept = await rejected()
    expect(reasonsOf(kept).sort()).toEqual(hostile.map(({ reason }) => reason).sort())
    expect(kept.find(({ reason }) => reason === 'too_large')).toMatchObject({ bytes: 10_000_002 })
    const dead = await system.bus.deadLetters(inputQuotes, 100)
    expect(dead).toHaveLength(hostile.filter(({ reason }) => reason === 'not_json').length + 1)
    await eventually(async () => (await countedRejections()) >= hostile.length, { what: 'the counters' })
    for (const worker of workers) {
      expect(worker.isOver(), `${worker.name} has ended`).toBe(false)
      expect(worker.logs().filter(({ level }) => level === 'fatal')).toEqual([])
    }
  })
})

async function countedRejections(): Promise<number> {
  const samples = (await readReports(client)).flatMap(({ counters }) => counters)
  return samples
    .filter(([metric, labels]) => metric === 'sluice_market_rejected_total' && labels['from'] === 'channel')
    .reduce((sum, [, , value]) => sum + value, 0)
}
