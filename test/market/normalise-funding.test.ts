import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inputChannels, marketFunding, parseBoards } from '../../src/catalog/index.ts'
import { readConfig } from '../../src/kernel/index.ts'
import type { InputRules } from '../../src/market/normalise.ts'
import { fundingEventOf, fundingOfText, fundingOfValue } from '../../src/market/normalise-funding.ts'
import type { RejectReason } from '../../src/market/reasons.ts'
import { openVenues } from '../../src/venues/index.ts'

const NOW = Date.UTC(2026, 0, 19, 7, 59, 30)
const SETTLED = Date.UTC(2026, 0, 19, 8)
const rules: InputRules = {
  venues: openVenues(readConfig({})),
  levels: 2,
  boardOf: parseBoards(''),
  maxCharacters: 10_000,
  maxQuotes: 50,
}
const CHANNEL = inputChannels.funding('demo-a', 'BTC/USDT')
const ABOUT = { venue: 'demo-a', symbol: 'BTC/USDT' }
const said = { rate: '0.0001', fundingTime: SETTLED, time: NOW }
const read = (payload: unknown, channel = CHANNEL) =>
  fundingOfText(channel, typeof payload === 'string' ? payload : JSON.stringify(payload), NOW, rules)
const only = (payload: unknown) => {
  const { found, rejections } = read(payload)
  expect(rejections).toEqual([])
  return found[0]
}

const RATE = {
  ...{ type: 'funding', ...ABOUT, fundingTime: SETTLED, rate: '0.0001', intervalHours: null },
  ...{ markPrice: null, indexPrice: null, nextFundingTime: null, time: NOW },
}

describe('funding from outside', () => {
  it('is a rate with every digit as it was said, under the names of venues and of the reference', () => {
    expect(only(said)).toEqual(RATE)
    const binance = { fundingRate: '-0.000658153991747989', fundingTime: SETTLED + 47, markPrice: '64000.10' }
    expect(only({ ...binance, time: NOW })).toEqual({
      ...RATE,
      ...{ rate: '-0.000658153991747989', markPrice: '64000.1' },
    })
    const envelope = {
      ...{ type: 'funding', channel: CHANNEL, exchange: 'DEMO-A', symbol: 'btc-usdt', trace_id: 'x' },
      data: {
        ...{ funding_rate: 5.4252355269552e-5, funding_time: new Date(SETTLED).toISOString() },
        ...{ next_funding_time: SETTLED + 28_800_000, funding_interval: 8, index_price: 64_001.25 },
      },
      timestamp: new Date(NOW).toISOString(),
    }
    expect(only(envelope)).toEqual({
      ...RATE,
      ...{ rate: '0.000054252355269552', intervalHours: 8, indexPrice: '64001.25' },
      nextFundingTime: SETTLED + 28_800_000,
    })
  })

  it('is a context when there is no rate, and what is not said is null', () => {
    const context = {
      ...{ funding: '0.0000125', openInterest: '688.11', prevDayPx: '15.322', dayNtlVlm: '1169046.29406' },
      ...{ premium: '0.00031774', oraclePx: '14.32', markPx: '14.3161', midPx: '14.314', time: NOW },
      ...{ impactPxs: ['14.3047', '14.3444'], dayBaseVlm: '80727.1' },
    }
    expect(only(context)).toEqual({
      ...{ type: 'context', ...ABOUT, funding: '0.0000125', openInterest: '688.11', oraclePrice: '14.32' },
      ...{ markPrice: '14.3161', midPrice: '14.314', impactPrices: ['14.3047', '14.3444'] },
      ...{ previousDayPrice: '15.322', dayNotionalVolume: '1169046.29406', dayBaseVolume: '80727.1' },
      time: NOW,
    })
    expect(only({ markPx: 5, time: NOW })).toMatchObject({ markPrice: '5', openInterest: null })
  })

  it('may be an array, of which each is taken or refused by itself', () => {
    const items = [
      { ...said, ...ABOUT },
      { ...said, ...ABOUT, rate: 5 },
      { ...said, venue: 'nowhere' },
    ]
    const { found, rejections } = fundingOfValue(undefined, items, NOW, rules)
    expect(found).toEqual([RATE])
    expect(rejections).toEqual([
      { reason: 'bad_rate', detail: 'item 1: rate is 5' },
      { reason: 'unknown_venue', detail: expect.stringMatching(/^item 2: venue "nowhere"; configured: /) },
    ])
  })

  it('is one event however often it is heard, and another when it is said again later', () => {
    const id = (payload: object, at = NOW) => fundingEventOf(read(payload).found[0]!, at).id
    expect(id({ ...said, rate: 0.0001 }, NOW + 5)).toBe(id(said))
    expect(id({ ...said, time: NOW + 1 })).not.toBe(id(said))
  })

  const BAD: [RejectReason, unknown, string?][] = [
    ['not_json', '{'],
    ['too_large', `"${'x'.repeat(10_000)}"`],
    ['too_many', Array.from({ length: 51 }, () => 1)],
    ['bad_shape', 5],
    ['bad_shape', { impactPxs: ['1'], time: NOW }],
    ['unknown_channel', said, 'market:funding:demo-a'],
    ['contradiction', { ...said, symbol: 'ETH/USDT' }],
    ['missing_field', { ...said, time: undefined }],
    ['missing_field', { ...said, fundingTime: undefined }],
    ['missing_field', { time: NOW, price: 5 }],
    ['bad_rate', { ...said, rate: '0.01%' }],
    ['bad_rate', { ...said, rate: '' }],
    ['bad_rate', { ...said, rate: '1e-9999' }],
    ['bad_rate', { ...said, rate: -1.0001 }],
    ['bad_rate', { funding: 2, time: NOW }],
    ['bad_price', { ...said, markPrice: 0 }],
    ['bad_price', { impactPxs: ['1', '-1'], time: NOW }],
    ['bad_amount', { openInterest: -1, time: NOW }],
    ['bad_amount', { ...said, intervalHours: 25 }],
    ['bad_time', { ...said, time: NOW + 3_600_001 }],
    ['bad_time', { ...said, fundingTime: SETTLED / 1000 }],
    ['bad_time', { ...said, fundingTime: NOW + 3 * 86_400_000 }],
    ['bad_time', { ...said, fundingTime: '2026-01-19T08:00:00' }],
    ['bad_time', { ...said, nextFundingTime: SETTLED }],
  ]
  it.each(BAD)('is refused as %s: %j', (reason, payload, channel) => {
    const { found, rejections } = read(payload, channel)
    expect({ found, reasons: rejections.map((one) => one.reason) }).toEqual({ found: [], reasons: [reason] })
  })

  it('of any kind never throws, and what is accepted has the shape of the stream', () => {
    const any = (good: unknown) => fc.oneof(fc.constant(good), fc.anything(), fc.double().map(String))
    const parts = fc.record(
      {
        ...{ rate: any('0.1'), fundingTime: any(SETTLED), time: any(NOW), markPrice: any('1e5') },
        ...{ openInterest: any(1), funding: any('-0.5'), impactPxs: any(['1', '2']), intervalHours: any(8) },
        nextFundingTime: any(SETTLED + 60_000),
      },
      { requiredKeys: ['time'] },
    )
    fc.assert(
      fc.property(parts, (payload) => {
        for (const one of fundingOfValue(CHANNEL, payload, NOW, rules).found) {
          expect(marketFunding.shape.parse(one)).toEqual(one)
        }
      }),
      { numRuns: 500 },
    )
  })
})
