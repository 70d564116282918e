import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decimalText, isSluiceError, messageOf } from '../../src/kernel/index.ts'
import { openVenues } from '../../src/venues/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-venues-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'venues.json')
const withFile = (content: unknown) => {
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return openVenues({ VENUES_FILE: path, FEE_BPS: '' })
}
const problem = (open: () => unknown, code: Parameters<typeof isSluiceError>[1] = 'CONFIG_INVALID') => {
  try {
    open()
    return 'accepted'
  } catch (error) {
    return isSluiceError(error, code) ? messageOf(error) : error
  }
}
const limits = { tick: '0.01', lot: '0.001', minNotional: '5' }

describe('the venue table', () => {
  const builtIn = openVenues({ VENUES_FILE: '', FEE_BPS: '' })

  it('has three simulated venues with six instruments each, told apart by fees and limits', () => {
    const simulated = builtIn
      .names()
      .map(builtIn.require)
      .filter((v) => v.kind === 'simulated')
    expect(simulated.map((v) => [v.name, v.takerFeeBps])).toEqual([
      ['sim-alpha', 2],
      ['sim-beta', 4],
      ['sim-gamma', 5],
    ])
    for (const venue of simulated) {
      expect(venue.symbols).toEqual(['BTC/USDT', 'ETH/USDT', 'SOL/USDT', 'XRP/USDT', 'DOGE/USDT', 'ADA/USDT'])
    }
    expect(new Set(simulated.map((v) => decimalText(v.instrument('BTC/USDT').tick))).size).toBe(3)
  })

  it('knows the venues of the recordings', () => {
    expect(decimalText(builtIn.require('EX1').instrument('BTC/BRL').lot)).toBe('0.00000001')
    expect(builtIn.require('binance-coinm').symbols).toEqual(['BTC/USD'])
    expect(builtIn.require('YOFX').instrument('EUR/USD')).toMatchObject({ base: 'EUR', quote: 'USD' })
  })

  it('names what exists when a venue or symbol does not', () => {
    expect(builtIn.venue('nowhere')).toBeUndefined()
    expect(problem(() => builtIn.require('nowhere'), 'VENUE_UNKNOWN')).toContain('sim-alpha')
    expect(problem(() => builtIn.require('EX1').instrument('ETH/BRL'), 'INSTRUMENT_UNKNOWN')).toContain(
      'BTC/BRL',
    )
    expect(problem(() => builtIn.require('YOFX').instrument('eurusd'), 'INSTRUMENT_UNKNOWN')).toContain(
      'BASE/QUOTE',
    )
  })

  it('puts FEE_BPS over every fee', () => {
    const table = openVenues({ VENUES_FILE: '', FEE_BPS: 0 })
    expect(new Set(table.names().map((name) => table.require(name).takerFeeBps))).toEqual(new Set([0]))
  })

  it('adds the venues of a file, in front of recorded ones of the same name', () => {
    const table = withFile({
      venues: [
        { name: 'kraken', takerFeeBps: 26, instruments: [{ symbol: 'BTC/USD', ...limits }] },
        { name: 'any', takerFeeBps: 10, defaultInstrument: { tick: '0.1', lot: '0.2' } },
        { name: 'EX1', takerFeeBps: 7, instruments: [{ symbol: 'BTC/BRL', ...limits }] },
      ],
    })
    expect(table.require('kraken')).toMatchObject({ kind: 'fed', takerFeeBps: 26 })
    expect(decimalText(table.require('kraken').instrument('BTC/USD').minQuantity)).toBe('0.001')
    expect(decimalText(table.require('any').instrument('FOO/BAR').lot)).toBe('0.2')
    expect(table.require('EX1')).toMatchObject({ kind: 'recorded', takerFeeBps: 7 })
  })

  it('reads the example that the documentation points to', () => {
    const example = join(import.meta.dirname, '../../examples/venues.json')
    const table = openVenues({ VENUES_FILE: example, FEE_BPS: '' })
    expect(table.require('kraken').kind).toBe('fed')
  })

  it('refuses a wrong file, naming file and field', () => {
    const venue = { name: 'v', takerFeeBps: 1, instruments: [{ symbol: 'BTC/USD', ...limits }] }
    const wrong = (more: object) => problem(() => withFile({ venues: [{ ...venue, ...more }] }))
    expect(wrong({ takerFeeBps: -1 })).toMatch(/venues\.json: venues\.0\.takerFeeBps/)
    expect(wrong({ instruments: [{ symbol: 'btcusd', ...limits }] })).toContain(
      'venues.0.instruments.0.symbol',
    )
    expect(wrong({ instruments: [{ symbol: 'BTC/USD', ...limits, tick: '0' }] })).toContain(
      '.tick: more than zero',
    )
    expect(wrong({ instruments: [{ symbol: 'BTC/USD', ...limits, lot: '1e-3' }] })).toContain('written out')
    expect(wrong({ instruments: [] })).toContain('defaultInstrument')
    expect(wrong({ instruments: [...venue.instruments, ...venue.instruments] })).toContain(
      'BTC/USD is given twice',
    )
    expect(wrong({ name: 'sim-beta' })).toContain('sim-beta is a simulated venue')
    expect(wrong({ fee: 3 })).toContain('fee')
    expect(problem(() => withFile({ venues: [venue, venue] }))).toContain('v is given twice')
    expect(problem(() => withFile('{'))).toContain('is not JSON')
    rmSync(path)
    expect(problem(() => openVenues({ VENUES_FILE: path, FEE_BPS: '' }), 'FILE_NOT_FOUND')).toContain(path)
  })
})
