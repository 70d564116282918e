// An opportunity against the entries that it names, on a real stream. Everything that a hostile or broken publisher
// may change must be noticed, because the legs go out at its limits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkSources } from '../../src/arbitrage/index.ts'
import { type OpenBus, openBus, outgoing } from '../../src/bus/index.ts'
import { marketQuotes, type Opportunity, opportunity, type QuoteMessage } from '../../src/catalog/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { opportunityOf } from './execution-story.ts'

const AT = 1_700_000_000_000

let redis: TestRedis
let bus: OpenBus
let honest: Opportunity
beforeAll(async () => {
  redis = await startRedis()
  bus = openBus({ url: redis.url, clock: systemClock, leaseMs: 5_000 })
  const quotesOf = (venue: string, bids: [number, number][], asks: [number, number][]): QuoteMessage => ({
    venue,
    board: 'BTC/USDT',
    quotes: [{ symbol: 'BTC/USDT', bids, asks, time: AT }],
    simulated: true,
  })
  const messages = [
    quotesOf('va', [[99, 1]], [[100, 0.4], [100.5, 2]]), // biome-ignore format: a book reads level by level
    quotesOf('vb', [[102, 1], [101.5, 1]], [[103, 1]]), // biome-ignore format: a book reads level by level
  ]
  const published = messages.map((data) => outgoing(marketQuotes, `quote:${data.venue}`, data, { time: AT }))
  const receipts = await bus.publish(published)
  const sources = receipts.map(({ entry, partition }, i) => ({
    venue: messages[i]!.venue,
    stream: marketQuotes.name,
    partition,
    entry,
    eventId: `quote:${messages[i]!.venue}`,
    quoteTime: AT,
  }))
  const prices = { buyPrice: 100, buyLimit: 100.5, sellPrice: 102, sellLimit: 101.5, quantity: 1.5 }
  honest = { ...opportunityOf('honest', 'va', 'vb'), ...prices, sources }
})
afterAll(async () => {
  await bus.close()
  await redis.stop()
})

describe('the sources of an opportunity', () => {
  it('bear out what was computed from them', async () => {
    expect(await checkSources(bus, honest)).toBeUndefined()
  })

  const forgeries: [string, Partial<Opportunity>, string][] = [
    ['a purchase above every level', { buyLimit: 107 }, 'not_in_sources'],
    ['a sale above every level', { sellLimit: 107 }, 'not_in_sources'],
    ['a sale between two levels', { sellLimit: 101.7 }, 'not_in_sources'],
    ['another best price', { buyPrice: 99 }, 'not_in_sources'],
    ['more than the levels hold', { quantity: 2.1 }, 'not_in_sources'],
    ['more than the levels up to the limit hold', { buyLimit: 100 }, 'not_in_sources'],
    ['an absurd quantity', { quantity: 1e300 }, 'not_in_sources'],
    ['a negative quantity', { quantity: -1 }, 'not_in_sources'],
    ['another symbol', { symbol: 'ETH/USDT' }, 'source_missing'],
    ['another venue', { buyVenue: 'vc' }, 'source_missing'],
    ['exchanged venues', { buyVenue: 'vb', sellVenue: 'va' }, 'not_in_sources'],
    ['no sources', { sources: [] }, 'source_missing'],
  ]
  for (const [what, change, code] of forgeries) {
    it(`do not bear out ${what}`, async () => {
      expect(await checkSources(bus, { ...honest, ...change })).toMatchObject({ code })
    })
  }

  const places: [string, Partial<Opportunity['sources'][number]>][] = [
    ['is no entry id', { entry: 'garbage' }],
    ['is larger than an entry id can be', { entry: '9999999999999999999999-5' }],
    ['was trimmed', { entry: '1-0' }],
    ['stands in a partition that does not exist', { partition: 99 }],
    ['stands in another partition', { partition: 7 }],
    ['stands in another stream', { stream: 'signals' }],
    ['is another event', { eventId: 'forged' }],
    ['is of another time', { quoteTime: AT + 1 }],
  ]
  for (const [what, change] of places) {
    it(`are missing when the entry ${what}`, async () => {
      const sources = honest.sources.map((source) => ({ ...source, ...change }))
      expect(await checkSources(bus, { ...honest, sources })).toMatchObject({ code: 'source_missing' })
    })
  }

  it('reject when the stream cannot be read, so that nothing is decided without them', async () => {
    const away = { readBack: () => Promise.reject(new Error('Connection is closed.')) }
    await expect(checkSources(away, honest)).rejects.toThrow('Connection is closed.')
  })
})

describe('the id of an opportunity', () => {
  it('is short and printable, because Postgres takes no NUL', () => {
    expect(opportunity.safeParse(honest).success).toBe(true)
    for (const id of ['', 'a\u0000b', 'L'.repeat(129)]) {
      expect(opportunity.safeParse({ ...honest, id }).success).toBe(false)
    }
  })
})
