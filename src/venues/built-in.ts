// The venues that exist without any file: the simulated ones and those whose recordings Sluice can read.
// Fees of recorded venues are what the figures of the recordings are computed with, not an offer of today.
import { instrumentOf, type Limits, specOf } from './instruments.ts'
import type { VenueSpec } from './venue.ts'

type Listing = Record<string, readonly [tick: string, lot: string, minNotional: string]>

const ALPHA: Listing = {
  'BTC/USDT': ['0.01', '0.00001', '5'],
  'ETH/USDT': ['0.01', '0.0001', '5'],
  'SOL/USDT': ['0.01', '0.001', '5'],
  'XRP/USDT': ['0.0001', '0.1', '5'],
  'DOGE/USDT': ['0.00001', '1', '5'],
  'ADA/USDT': ['0.0001', '0.1', '5'],
}

const BETA: Listing = {
  'BTC/USDT': ['0.1', '0.0001', '10'],
  'ETH/USDT': ['0.01', '0.001', '10'],
  'SOL/USDT': ['0.001', '0.01', '10'],
  'XRP/USDT': ['0.0001', '1', '10'],
  'DOGE/USDT': ['0.00001', '10', '10'],
  'ADA/USDT': ['0.0001', '1', '10'],
}

const GAMMA: Listing = {
  'BTC/USDT': ['0.5', '0.00001', '1'],
  'ETH/USDT': ['0.05', '0.00001', '1'],
  'SOL/USDT': ['0.01', '0.0001', '1'],
  'XRP/USDT': ['0.00001', '0.01', '1'],
  'DOGE/USDT': ['0.000001', '0.1', '1'],
  'ADA/USDT': ['0.00001', '0.01', '1'],
}

// 5 decimals of price and 8 of quantity are what both exchanges of the BRL recording print.
const BRL: Listing = { 'BTC/BRL': ['0.00001', '0.00000001', '0'] }

// The filters of August 2024, when the frames were recorded.
const BINANCE_SPOT: Listing = { 'BTC/USDT': ['0.01', '0.00001', '5'] }
const BINANCE_USDM: Listing = { 'BTC/USDT': ['0.1', '0.001', '100'] }
// Contracts are worth 100 USD; the reader turns them into BTC, which gives quantities of any length.
const BINANCE_COINM: Listing = { 'BTC/USD': ['0.1', '0.00000001', '100'] }

// The recorded FX prices carry up to 17 digits; a tick of ten decimals would reject what the source quoted.
const FX: Limits = { tick: '0.0000000001', lot: '0.01', minNotional: '0' }

const venue = (
  name: string,
  kind: VenueSpec['kind'],
  takerFeeBps: number,
  listing: Listing,
  defaultLimits?: Limits,
): VenueSpec =>
  specOf({
    name,
    kind,
    takerFeeBps,
    instruments: Object.entries(listing).map(([symbol, [tick, lot, minNotional]]) =>
      instrumentOf(symbol, { tick, lot, minNotional }),
    ),
    defaultLimits,
  })

// For trying a feed out before there is a VENUES_FILE: two venues, so that their quotes can meet.
const DEMO: Limits = { tick: '0.00000001', lot: '0.00001', minNotional: '1' }

export const BUILT_IN: readonly VenueSpec[] = [
  venue('sim-alpha', 'simulated', 2, ALPHA),
  venue('sim-beta', 'simulated', 4, BETA),
  venue('sim-gamma', 'simulated', 5, GAMMA),
  venue('EX1', 'recorded', 5, BRL),
  venue('EX2', 'recorded', 5, BRL),
  venue('binance-spot', 'recorded', 10, BINANCE_SPOT),
  venue('binance-usdm', 'recorded', 5, BINANCE_USDM),
  venue('binance-coinm', 'recorded', 5, BINANCE_COINM),
  venue('YOFX', 'recorded', 0.05, {}, FX),
  venue('OANDA-HISTORICAL', 'recorded', 0.05, {}, FX),
  venue('demo-a', 'fed', 5, {}, DEMO),
  venue('demo-b', 'fed', 5, {}, DEMO),
]
