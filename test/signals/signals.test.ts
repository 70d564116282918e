import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry, FoldOptions, FoldOutput } from '../../src/bus/index.ts'
import {
  marketQuotes,
  type Opportunity,
  opportunities,
  type QuoteMessage,
  type Signal,
  signal,
} from '../../src/catalog/index.ts'
import { readConfig } from '../../src/kernel/index.ts'
import { arbitrageSignals, averageProfitPct } from '../../src/signals/arbitrage.ts'
import { median } from '../../src/signals/samples.ts'
import { assessArbitrage, assessTechnical, scoreOf } from '../../src/signals/score.ts'
import { technicalSignals } from '../../src/signals/technical.ts'

const T = 1_700_000_000_000
let sequence = 0

function entryOf<T>(stream: string, data: T, time: number): Entry<T> {
  sequence += 1
  const more = {
    type: stream,
    source: 'test',
    key: 'k',
    sequence,
    traceparent: undefined,
    partition: 0,
    attempt: 1,
  }
  return { ...more, id: `event-${sequence}`, time, data, stream, entry: `${sequence}-0` }
}

function quoted(mid: number, time: number, venue = 'a', simulated = false): Entry<QuoteMessage> {
  const quote = {
    symbol: 'A/X',
    bids: [[mid - 1, 1]],
    asks: [[mid + 1, 1]],
    time,
  } as QuoteMessage['quotes'][0]
  return entryOf(marketQuotes.name, { venue, board: 'A/X', quotes: [quote], simulated }, time)
}

function opened(id: string, more: Partial<Opportunity> = {}, time = T): Entry<Opportunity> {
  const data: Opportunity = {
    id,
    phase: 'opened',
    symbol: 'A/X',
    buyVenue: 'a',
    sellVenue: 'b',
    openedAt: time,
    lastSeenAt: time,
    reason: 'open',
    buyPrice: 100,
    sellPrice: 102,
    buyFeeBps: 0,
    sellFeeBps: 0,
    edgeBps: 200,
    bestEdgeBps: 200,
    quantity: 1,
    profit: 2,
    buyLimit: 100,
    sellLimit: 102,
    simulated: false,
    sources: [],
    ...more,
  }
  return entryOf(opportunities.name, data, time)
}

function run<E, S>(fold: FoldOptions<E, S>, entries: readonly Entry<E>[], state = fold.start()) {
  const outputs: FoldOutput[] = entries.map((entry) => fold.apply(state, entry))
  const events = outputs.flatMap((o) => o.events)
  return {
    state,
    events,
    told: outputs.flatMap((o) => o.tell ?? []),
    signals: events.map((e) => e.data as Signal),
  }
}

const fold = technicalSignals(readConfig({}))
/** A price a second. */
const each = (prices: readonly number[], from = T) => prices.map((price, i) => quoted(price, from + i * 1000))
const falling = (n: number) => Array.from({ length: n }, (_, i) => 1_000 - i)

describe('technical signals', () => {
  it('wait for fifty prices and then say what the indicators say, to the stream and to the channel', () => {
    expect(run(fold, each(falling(50))).signals).toEqual([])
    const { signals, events, told } = run(fold, each(falling(51)))
    expect(signals).toMatchObject([
      { kind: 'technical', symbol: 'A/X', action: 'buy', indicators: ['RSI14'], confidence: 0.7, risk: 0.2 },
    ])
    expect(signals[0]).toMatchObject({
      strength: 'medium',
      venues: ['a'],
      time: T + 50_000,
      expiresAt: T + 950_000,
    })
    expect(signal.safeParse(signals[0]).success).toBe(true)
    expect(told[0]!.channel).toBe('market:signal:technical')
    expect(JSON.parse(told[0]!.message)).toMatchObject({
      type: 'signal',
      trace_id: events[0]!.id,
      data: signals[0],
    })
  })

  it('are not repeated within five minutes, and come again afterwards', () => {
    expect(run(fold, each(falling(350))).signals.filter((s) => s.indicators.includes('RSI14'))).toHaveLength(
      1,
    )
    expect(run(fold, each(falling(352))).signals.filter((s) => s.indicators.includes('RSI14'))).toHaveLength(
      2,
    )
  })

  it('find the crossings of averages and of MACD, and count indicators that agree', () => {
    const turn = [...falling(60), ...Array.from({ length: 40 }, (_, i) => 941 + i * 3)]
    const found = run(fold, each(turn)).signals.map((s) => `${s.action} ${s.indicators.join('+')}`)
    expect(found).toContain('buy EMA12xSMA20')
    expect(found.some((f) => f.startsWith('buy') && f.includes('MACD'))).toBe(true)
  })

  it('take one price a second, and begin anew after a silence', () => {
    const often = Array.from({ length: 500 }, (_, i) => quoted(1_000 - i, T + i * 10))
    expect(run(fold, often).signals).toEqual([])
    const broken = [...each(falling(40)), ...each(falling(40), T + 200_000)]
    expect(run(fold, broken).signals).toEqual([])
  })

  it('keep a bounded number of series: the one that is silent for longest gives way', () => {
    const { start, apply } = technicalSignals(readConfig({}))
    const state = start()
    const hear = (i: number) => {
      const entry = quoted(100, T + i * 1_000)
      apply(state, {
        ...entry,
        data: { ...entry.data, quotes: [{ ...entry.data.quotes[0]!, symbol: `S${i}/X` }] },
      })
    }
    for (let i = 0; i < 1_003; i += 1) hear(i)
    const names = Object.keys(state.series)
    expect(names).toHaveLength(1_000)
    expect([names[0], names.at(-1)]).toEqual(['S3/X', 'S1002/X'])
  })

  it('keep simulated prices apart from those of markets', () => {
    const mixed = falling(60).flatMap((p, i) => [
      quoted(p, T + i * 1000, 's', true),
      quoted(1_000, T + i * 1000, 'a', false),
    ])
    expect(run(fold, mixed).signals.map((s) => [s.simulated, s.action])).toEqual([[true, 'buy']])
  })

  it('continue after save and load at any cut as if nothing had happened', () => {
    const walk = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.constantFrom('a', 'b', 'c')), {
      minLength: 60,
      maxLength: 200,
    })
    let said = 0
    fc.assert(
      fc.property(walk, fc.nat(), (steps, where) => {
        let price = 1_000
        const entries = steps.map(([step, venue], i) => {
          price += step
          return quoted(price, T + i * 900, venue)
        })
        const cut = where % entries.length
        const whole = run(fold, entries).events
        const before = run(fold, entries.slice(0, cut))
        const after = run(fold, entries.slice(cut), fold.load(fold.save(before.state)))
        expect([...before.events, ...after.events]).toEqual(whole)
        said += whole.length
      }),
    )
    expect(said).toBeGreaterThan(50)
  })

  it('take the median of the venues, which one wrong venue does not move', () => {
    expect([median([3, 1, 2]), median([1, 2, 3, 1_000]), median([5])]).toEqual([2, 2.5, 5])
  })
})

describe('arbitrage signals', () => {
  it('say what the open opportunities of a symbol earn together after fees', () => {
    const { signals } = run(arbitrageSignals(), [
      opened('1', { buyFeeBps: 100, sellFeeBps: 100 }),
      opened('2', { buyVenue: 'c', sellPrice: 103 }),
    ])
    expect(signals.map((s) => [s.kind, s.venues, Number(s.confidence.toFixed(9))])).toEqual([
      ['arbitrage', ['a', 'b'], 0.7],
      ['arbitrage', ['a', 'b', 'c'], 0.85],
    ])
    expect(
      averageProfitPct([
        { cost: 100, proceeds: 101 },
        { cost: 100, proceeds: 103 },
      ]),
    ).toBeCloseTo(2)
  })

  it('are said once in five minutes for the same venues, also of a symbol that costs less than a dollar', () => {
    const cheap = { buyPrice: 0.08, sellPrice: 0.0808 }
    const entries = [opened('1', cheap), opened('2', cheap, T + 299_999), opened('3', cheap, T + 300_000)]
    expect(run(arbitrageSignals(), entries).signals.map((s) => s.time)).toEqual([T, T + 300_000])
  })

  it('forget what has closed', () => {
    const closed = opened('1', { phase: 'closed', reason: 'gone' })
    const { state } = run(arbitrageSignals(), [opened('1'), opened('2', {}, T + 1), closed])
    expect(Object.keys(state.open)).toEqual(['2'])
    expect(
      Object.keys(run(arbitrageSignals(), [opened('1'), opened('3', {}, T + 1_800_001)]).state.open),
    ).toEqual(['3'])
  })
})

describe('the score', () => {
  it('follows the formulas of the reference system', () => {
    expect(assessTechnical([0.7])).toMatchObject({
      confidence: 0.7,
      profitPct: 2,
      risk: 0.2,
      strength: 'medium',
    })
    const three = assessTechnical([0.7, 0.8, 0.75])
    expect(three.confidence).toBeCloseTo(0.95)
    expect(three).toMatchObject({ profitPct: 3.2, strength: 'strong' })
    expect(three.risk).toBeCloseTo(0.14)
    expect(scoreOf('technical', three)).toBeCloseTo((0.95 * 40 + 9.6 - 2.8) * 1.3)
    expect([0.4, 0.6, 6].map((pct) => assessArbitrage(pct, 1).confidence)).toEqual([0.7, 0.8, 0.5])
    expect([0.4, 0.6, 2].map((pct) => assessArbitrage(pct, 1).strength)).toEqual(['weak', 'medium', 'strong'])
    expect(assessArbitrage(0.4, 99).confidence).toBeCloseTo(0.9)
    expect(scoreOf('arbitrage', assessArbitrage(0.4, 1))).toBeCloseTo((28 + 1.2 - 1.6) * 1.2 * 0.7)
    expect(scoreOf('arbitrage', assessArbitrage(50, 9))).toBeLessThanOrEqual(100)
  })
})
