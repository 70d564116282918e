import { describe, expect, it } from 'vitest'
import { parseBoards, quoteMessage } from '../../src/catalog/index.ts'
import { type Clock, decimal, floorTo } from '../../src/kernel/index.ts'
import { checkOrder, type FeedStep, openVenues, simulate } from '../../src/venues/index.ts'
import { type MarketUpdate, nextUpdate, startMarket } from '../../src/venues/simulation/market.ts'
import { advance, COMMON_SHARE, priceOf, startFundamentals } from '../../src/venues/simulation/prices.ts'
import { seededRandom } from '../../src/venues/simulation/random.ts'

const venues = openVenues({ VENUES_FILE: '', FEE_BPS: '' })
const simulated = venues
  .names()
  .map(venues.require)
  .filter((v) => v.kind === 'simulated')
const SEEDS = [1, 2, 77, 123_456_789]

function* updates(seed: number, count: number, perSecond = 5): Generator<MarketUpdate> {
  const random = seededRandom(seed)
  const market = startMarket(simulated, perSecond, random)
  for (let i = 0; i < count; i += 1) yield nextUpdate(market, random)
}

describe('seeded randomness', () => {
  it('is uniform, normal and exponential as it says, and depends on every bit of the seed', () => {
    const random = seededRandom(42)
    const n = 200_000
    const moments = (draw: () => number) => {
      let [sum, squares] = [0, 0]
      for (let i = 0; i < n; i += 1) {
        const x = draw()
        sum += x
        squares += x * x
      }
      return { mean: sum / n, variance: squares / n - (sum / n) ** 2 }
    }
    const [u, z, e] = [moments(random.uniform), moments(random.normal), moments(random.exponential)]
    expect(u.mean).toBeCloseTo(0.5, 2)
    expect(u.variance).toBeCloseTo(1 / 12, 2)
    expect(z.mean).toBeCloseTo(0, 1)
    expect(z.variance).toBeCloseTo(1, 1)
    expect(e.mean).toBeCloseTo(1, 1)
    expect(
      new Set([0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 33].map((seed) => seededRandom(seed).uniform())).size,
    ).toBe(6)
  })
})

describe('the simulated market', () => {
  it('gives the same updates for the same seed and others for another', () => {
    const take = (seed: number) => JSON.stringify([...updates(seed, 500)])
    expect(take(1)).toBe(take(1))
    expect(take(1)).not.toBe(take(2))
  })

  it('updates every instrument of every venue in turn, at its rate', () => {
    const all = [...updates(1, 180, 5)]
    const btc = all.filter((u) => u.venue === 'sim-alpha' && u.symbol === 'BTC/USDT')
    expect(btc.map((u) => Math.round(u.atMs))).toEqual([
      0, 200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 1_800,
    ])
    expect(new Set(all.slice(0, 18).map((u) => `${u.venue} ${u.symbol}`)).size).toBe(18)
  })

  it('quotes 20 uncrossed levels a side on the tick and lot of the venue, of at least its minimum', () => {
    for (const seed of SEEDS) {
      for (const { venue, symbol, book } of updates(seed, 1_000)) {
        const quotes = [{ symbol, ...book, time: 1 }]
        quoteMessage.parse({ venue, board: symbol, quotes, simulated: true })
        expect([book.bids.length, book.asks.length]).toEqual([20, 20])
        expect(book.bids[0]![0]).toBeLessThan(book.asks[0]![0])
      }
      // Exact decimals are slow: a sample.
      for (const { venue, symbol, book } of updates(seed, 36)) {
        const instrument = venues.require(venue).instrument(symbol)
        for (const [price, quantity] of [...book.bids, ...book.asks]) {
          checkOrder({ side: 'buy', quantity: decimal(quantity), limitPrice: decimal(price) }, instrument)
          expect(floorTo(decimal(price), instrument.tick).eq(price)).toBe(true)
        }
      }
    }
  })

  it('moves all fundamentals together: any two returns correlate with the common share', () => {
    const random = seededRandom(5)
    const fundamentals = startFundamentals()
    const returns = fundamentals.map((): number[] => [])
    for (let i = 0; i < 20_000; i += 1) {
      const before = fundamentals.map(priceOf)
      advance(fundamentals, 1, random)
      for (const [k, f] of fundamentals.entries()) returns[k]!.push(Math.log(priceOf(f) / before[k]!))
    }
    const pairs = returns.flatMap((a, i) => returns.slice(i + 1).map((b) => correlation(a, b)))
    expect(pairs).toHaveLength(15)
    for (const pair of pairs) expect(Math.abs(pair - COMMON_SHARE)).toBeLessThan(0.03)
    // The checker can fail: against each other's past there is no correlation.
    expect(Math.abs(correlation(returns[0]!, [...returns[1]!].reverse()))).toBeLessThan(0.03)
  })

  it('shows that in its books: quoted mid prices of a minute move together', () => {
    const series = new Map<string, number[]>()
    // One update every 20 s, so that a few thousand books cover eight hours.
    for (const { venue, symbol, book } of updates(5, 18 * 1_500, 0.05)) {
      if (venue !== 'sim-alpha') continue
      const prices = series.get(symbol) ?? []
      series.set(symbol, prices)
      prices.push((book.bids[0]![0] + book.asks[0]![0]) / 2)
    }
    const returns = [...series.values()].map((prices) =>
      prices.slice(3).map((price, i) => Math.log(price / prices[i]!)),
    )
    const pairs = returns.flatMap((a, i) => returns.slice(i + 1).map((b) => correlation(a, b)))
    // Dislocations and ticks of the venue take something off the fundamentals' 0.64.
    expect(pairs.reduce((x, y) => x + y) / pairs.length).toBeGreaterThan(0.4)
  })

  it('offers opportunities after fees every few seconds, for seconds, in every direction and instrument', () => {
    for (const seed of SEEDS.slice(0, 2)) {
      const { episodes, seconds } = episodesOf(seed, 300)
      expect(episodes.length).toBeGreaterThan(seconds / 10)
      expect(episodes.length).toBeLessThan(seconds / 1.5)
      const lives = episodes.map((e) => e.untilMs - e.fromMs).sort((a, b) => a - b)
      expect(lives[Math.floor(lives.length * 0.75)]).toBeGreaterThan(1_000)
      expect(new Set(episodes.map((e) => e.direction)).size).toBe(6)
      expect(new Set(episodes.map((e) => e.symbol)).size).toBe(6)
      expect(Math.min(...episodes.map((e) => e.fromMs))).toBeLessThan(15_000)
    }
  })
})

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / x.length
  const [ma, mb] = [mean(a), mean(b)]
  const covariance = (x: readonly number[], mx: number, y: readonly number[], my: number) =>
    x.reduce((s, v, i) => s + (v - mx) * (y[i]! - my), 0)
  return covariance(a, ma, b, mb) / Math.sqrt(covariance(a, ma, a, ma) * covariance(b, mb, b, mb))
}

function episodesOf(seed: number, seconds: number) {
  const books = new Map<string, MarketUpdate>()
  const open = new Map<string, number>()
  const episodes: { symbol: string; direction: string; fromMs: number; untilMs: number }[] = []
  for (const update of updates(seed, seconds * 90)) {
    books.set(`${update.venue} ${update.symbol}`, update)
    for (const buy of simulated) {
      for (const sell of simulated) {
        if (buy.name === sell.name || (buy.name !== update.venue && sell.name !== update.venue)) continue
        const ask = books.get(`${buy.name} ${update.symbol}`)?.book.asks[0]?.[0]
        const bid = books.get(`${sell.name} ${update.symbol}`)?.book.bids[0]?.[0]
        if (ask === undefined || bid === undefined) continue
        const key = `${update.symbol} ${buy.name}>${sell.name}`
        const pays = bid * (1 - sell.takerFeeBps / 10_000) > ask * (1 + buy.takerFeeBps / 10_000)
        const fromMs = open.get(key)
        if (pays && fromMs === undefined) open.set(key, update.atMs)
        if (pays || fromMs === undefined) continue
        open.delete(key)
        const direction = `${buy.name}>${sell.name}`
        episodes.push({ symbol: update.symbol, direction, fromMs, untilMs: update.atMs })
      }
    }
  }
  return { episodes, seconds }
}

describe('the simulated feed', () => {
  const config = { SIM_SEED: 3, SIM_UPDATES_PER_SECOND: 5, BOOK_LEVELS: 20 }

  function manualClock(): Clock & { skip(ms: number): void } {
    let elapsed = 0
    return {
      now: () => 1_800_000_000_000.25 + elapsed,
      monotonic: () => elapsed,
      skip: (ms) => {
        elapsed += ms
      },
      sleep: async (ms) => {
        elapsed += ms
      },
    }
  }

  async function collect(
    count: number,
    more: Partial<typeof config> = {},
    onBatch?: (clock: ReturnType<typeof manualClock>) => void,
  ) {
    const clock = manualClock()
    const stop = new AbortController()
    const steps: FeedStep[] = []
    const boardOf = parseBoards('')
    const publish = async (batch: readonly FeedStep[]) => {
      steps.push(...batch)
      onBatch?.(clock)
      if (steps.length >= count) stop.abort()
    }
    await simulate({ config: { ...config, ...more }, venues, boardOf, clock, publish })(stop.signal)
    return { steps, clock }
  }

  it('publishes at its rate, labelled as simulated, stamped by the clock less the latency of the venue', async () => {
    const { steps, clock } = await collect(900)
    expect(steps.length / (clock.monotonic() / 1_000)).toBeGreaterThan(80)
    expect(steps.length / (clock.monotonic() / 1_000)).toBeLessThan(95)
    expect(steps.map((s) => s.sequence)).toEqual(steps.map((_, i) => i + 1))
    for (const { time, messages } of steps) {
      expect(Number.isInteger(time)).toBe(true)
      for (const message of messages) {
        expect(quoteMessage.parse(message).simulated).toBe(true)
        expect(message.quotes[0]!.time).toBeLessThan(time)
      }
    }
  })

  it('gives the same books in the same order whatever the clock does', async () => {
    const booksOf = (steps: readonly FeedStep[]) =>
      steps.slice(0, 600).map((s) => s.messages.map((m) => [m.venue, m.quotes[0]?.symbol, m.quotes[0]?.bids]))
    let batches = 0
    const calm = await collect(600)
    const jumpy = await collect(600, {}, (clock) => {
      batches += 1
      if (batches % 7 === 0) clock.skip(batches % 2 === 0 ? 10_000 : 333)
    })
    expect(booksOf(jumpy.steps)).toEqual(booksOf(calm.steps))
  })

  it('does not make up for a time in which it could not publish', async () => {
    let batches = 0
    const { steps } = await collect(300, {}, (clock) => {
      batches += 1
      if (batches === 5) clock.skip(60_000)
    })
    const perSecond = new Map<number, number>()
    for (const { time } of steps) {
      const second = Math.floor(time / 1_000)
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1)
    }
    expect(Math.max(...perSecond.values())).toBeLessThan(200)
  })

  it('keeps as many levels as a published book may have', async () => {
    const { steps } = await collect(20, { BOOK_LEVELS: 3 })
    expect(steps.every((s) => s.messages.every((m) => m.quotes[0]?.bids.length === 3))).toBe(true)
  })
})
