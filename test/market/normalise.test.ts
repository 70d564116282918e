import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inputChannels, parseBoards, quoteMessage } from '../../src/catalog/index.ts'
import { readConfig } from '../../src/kernel/index.ts'
import { type InputRules, normaliseText, quoteEvent, rejectionOf } from '../../src/market/normalise.ts'
import { positiveNumber, timeOf } from '../../src/market/numbers.ts'
import { REJECT_REASONS } from '../../src/market/reasons.ts'
import { openVenues } from '../../src/venues/index.ts'

const NOW = 1_700_000_000_000
const rules: InputRules = {
  venues: openVenues(readConfig({})),
  levels: 2,
  boardOf: parseBoards(''),
  maxCharacters: 10_000,
  maxQuotes: 50,
}
const tick = { venue: 'EX1', symbol: 'BTC/BRL', bid: 100, ask: 101, bidSize: 1, askSize: 2, time: NOW }
const TICKER = inputChannels.ticker('EX1', 'BTC/BRL')
const BATCH = inputChannels.batch('EX1')
const read = (payload: unknown, channel = TICKER, with_: InputRules = rules) =>
  normaliseText(channel, typeof payload === 'string' ? payload : JSON.stringify(payload), NOW, with_)
const quoteOf = (payload: unknown, channel = TICKER) => {
  const { messages, rejections } = read(payload, channel)
  expect(rejections).toEqual([])
  return messages[0]!.quotes[0]
}
const WANTED = { symbol: 'BTC/BRL', bids: [[100, 1]], asks: [[101, 2]], time: NOW }

describe('a message from outside', () => {
  it('may be a tick, with numbers or texts, and take venue and symbol from its channel in any case', () => {
    expect(read(tick).messages).toEqual([
      { venue: 'EX1', board: 'BTC/BRL', quotes: [WANTED], simulated: false },
    ])
    const { venue: _venue, symbol: _symbol, ...bare } = tick
    expect(quoteOf({ ...bare, bid: '100.0', askSize: '2e0' }, 'market:ticker:ex1:btc-brl')).toEqual(WANTED)
    expect(quoteOf({ ...tick, symbol: 'btc_brl' }, BATCH)).toEqual(WANTED)
  })

  it('may be a book, cut to the levels that are kept', () => {
    const book = { bids: [['100', '1'], [99, 1], ['nonsense']], asks: [[101, 2]], time: NOW }
    expect(quoteOf(book, inputChannels.orderbook('EX1', 'BTC/BRL'))).toEqual({
      ...WANTED,
      bids: [
        [100, 1],
        [99, 1],
      ],
    })
    expect(quoteOf({ ...book, asks: [] })).toMatchObject({ asks: [] })
  })

  it('may be the envelope of the reference system', () => {
    const envelope = {
      type: 'ticker',
      channel: TICKER,
      exchange: 'EX1',
      symbol: 'BTC/BRL',
      data: { bid: '100', ask: '101', bid_volume: '1', ask_volume: '2', last: '100.5' },
      timestamp: new Date(NOW).toISOString(),
      trace_id: 'abc',
    }
    expect(quoteOf(envelope)).toEqual(WANTED)
  })

  it('may be an array: good quotes travel as one message of each board, bad ones are rejected by themselves', () => {
    const joined = { ...rules, boardOf: parseBoards('fx=EUR/USD,GBP/USD') }
    const fx = (symbol: string, more = {}) => ({ ...tick, venue: 'YOFX', symbol, ...more })
    const { messages, accepted, rejections } = read(
      [fx('EUR/USD'), fx('GBP/USD'), fx('USD/CAD'), fx('AUD/USD', { bid: -1 })],
      inputChannels.batch('YOFX'),
      joined,
    )
    expect(messages.map(({ board, quotes }) => [board, quotes.length])).toEqual([
      ['fx', 2],
      ['USD/CAD', 1],
    ])
    expect(accepted).toBe(3)
    expect(rejections).toEqual([{ reason: 'bad_price', detail: 'quote 3: bid has price -1' }])
  })

  it('keeps the label of a simulated venue', () => {
    const simulated = { ...tick, venue: 'sim-alpha', symbol: 'BTC/USDT' }
    expect(read(simulated, inputChannels.batch('sim-alpha')).messages[0]!.simulated).toBe(true)
  })

  it('has an id that is its content: the same from any bridge, another when anything differs', () => {
    const idOf = (payload: unknown, channel = TICKER) =>
      quoteEvent(read(payload, channel).messages[0]!, NOW).id
    expect(idOf({ ...tick, bid: '100.00' }, BATCH)).toBe(idOf(tick))
    const others = [{ bid: 99 }, { askSize: 3 }, { time: NOW + 1 }].map((more) => idOf({ ...tick, ...more }))
    expect(new Set([idOf(tick), ...others]).size).toBe(4)
  })
})

const without = (field: keyof typeof tick) => ({ ...tick, [field]: undefined })
const BAD: [keyof typeof REJECT_REASONS, unknown, string?][] = [
  ['not_json', '{"bid":'],
  ['not_json', 'NaN'],
  ['too_large', `"${'x'.repeat(10_000)}"`],
  ['too_many', Array.from({ length: 51 }, () => 1)],
  ['bad_shape', 'null'],
  ['bad_shape', '5'],
  ['bad_shape', []],
  ['bad_shape', { ...tick, bids: 'all', asks: [] }],
  ['bad_shape', { ...tick, bids: [5], asks: [] }],
  ['missing_field', without('bid')],
  ['missing_field', without('askSize')],
  ['missing_field', without('time')],
  ['missing_field', { ...tick, bids: [[1, 1]] }],
  ['missing_field', without('symbol'), BATCH],
  ['bad_price', { ...tick, bid: -1 }],
  ['bad_price', { ...tick, ask: 0 }],
  ['bad_price', { ...tick, ask: '1e999' }],
  ['bad_price', { ...tick, bid: ' 100' }],
  ['bad_price', { ...tick, bid: true }],
  ['bad_size', { ...tick, bidSize: '' }],
  ['bad_size', { ...tick, bids: [[1, 0]], asks: [] }],
  [
    'not_best_first',
    {
      ...tick,
      bids: [
        [99, 1],
        [100, 1],
      ],
      asks: [],
    },
  ],
  [
    'not_best_first',
    {
      ...tick,
      bids: [],
      asks: [
        [99, 1],
        [99, 1],
      ],
    },
  ],
  ['crossed', { ...tick, bid: 102 }],
  ['bad_time', { ...tick, time: NOW + 3_600_001 }],
  ['bad_time', { ...tick, time: NOW - 86_400_001 }],
  ['bad_time', { ...tick, time: NOW / 1000 }],
  ['bad_time', { ...tick, time: 'yesterday' }],
  ['bad_time', { ...tick, time: '2023-11-14T22:13:20' }],
  ['unknown_venue', { ...tick, venue: 'nowhere' }],
  ['unknown_venue', { ...tick, venue: 7 }],
  ['unknown_symbol', { ...tick, symbol: 'DOGE/BRL' }, BATCH],
  ['unknown_symbol', { ...tick, symbol: 'BTCBRL' }, BATCH],
  ['unknown_channel', tick, 'market:ticker:EX1'],
  ['contradiction', tick, inputChannels.ticker('EX2', 'BTC/BRL')],
  ['contradiction', tick, inputChannels.ticker('EX1', 'BTC/USDT')],
]

describe('bad input', () => {
  it.each(BAD)('is refused as %s: %j', (reason, payload, channel) => {
    const { messages, accepted, rejections } = read(payload, channel)
    expect(rejections.map((r) => r.reason)).toEqual([reason])
    expect({ messages, accepted }).toEqual({ messages: [], accepted: 0 })
  })

  it('has an example here for every reason', () => {
    // Those of funding: normalise-funding.test.ts.
    const ofFunding = ['bad_rate', 'bad_amount']
    expect(new Set([...BAD.map(([reason]) => reason), ...ofFunding])).toEqual(
      new Set(Object.keys(REJECT_REASONS)),
    )
  })

  it('of any kind never throws, and what is accepted always has the shape of the stream', () => {
    const parts = fc.record(
      {
        venue: fc.oneof(fc.constant('EX1'), fc.anything()),
        symbol: fc.oneof(fc.constant('BTC/BRL'), fc.anything()),
        bid: fc.oneof(fc.constantFrom(100, '100'), fc.anything()),
        ask: fc.oneof(fc.constantFrom(101, '101'), fc.anything()),
        bidSize: fc.oneof(fc.constant(1), fc.anything()),
        askSize: fc.oneof(fc.constant(1), fc.anything()),
        bids: fc.array(fc.tuple(fc.double(), fc.double())),
        asks: fc.array(fc.tuple(fc.double(), fc.double())),
        data: fc.anything(),
        time: fc.oneof(fc.constant(NOW), fc.anything()),
      },
      { requiredKeys: [] },
    )
    const payload = fc.oneof(
      { weight: 5, arbitrary: fc.oneof(parts, fc.array(parts)).map((value) => JSON.stringify(value) ?? '') },
      { weight: 1, arbitrary: fc.string() },
    )
    fc.assert(
      fc.property(payload, fc.constantFrom(TICKER, BATCH, 'market:ticker:'), (text, channel) => {
        const { messages, rejections } = normaliseText(channel, text, NOW, rules)
        for (const message of messages) expect(quoteMessage.safeParse(message).error).toBeUndefined()
        expect(messages.length + rejections.length).toBeGreaterThan(0)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is kept with its beginning, its size and its digest', () => {
    const kept = rejectionOf(TICKER, 'é'.repeat(5_000), [{ reason: 'not_json', detail: 'x' }])
    expect(kept).toMatchObject({
      channel: TICKER,
      reason: 'not_json',
      details: ['not_json: x'],
      bytes: 10_000,
    })
    expect(kept.excerpt).toHaveLength(2_000)
    expect(kept.sha256).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('numbers and times as they are written', () => {
  it('are read from texts exactly as JSON would read them', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1e15, noNaN: true }), (value) => {
        expect(positiveNumber(value)).toBe(value)
        expect(positiveNumber(String(value))).toBe(value)
      }),
    )
    for (const bad of [
      '',
      ' ',
      '0x10',
      '1,000',
      '-1',
      '+1',
      '1.',
      '.5',
      'Infinity',
      '0',
      null,
      undefined,
      {},
      [],
    ]) {
      expect(positiveNumber(bad)).toBeUndefined()
    }
  })

  it('name the same moment in every accepted form', () => {
    const forms = [NOW, String(NOW), '2023-11-14T22:13:20Z', '2023-11-15T03:43:20.0000000+05:30']
    for (const form of forms) expect(timeOf(form)).toBe(NOW)
    const micros = [NOW + 0.2685 - 0.0005, '2023-11-14T22:13:20.0002680Z', '2023-11-14T22:13:20.000268999Z']
    for (const form of micros) expect(timeOf(form)).toBe(NOW + 0.268)
  })
})
