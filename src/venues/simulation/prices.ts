// One fundamental price for each instrument: a log price that follows a common factor and noise of its own, and is
// pulled back weakly so that weeks of running stay near the start.
import type { Random } from './random.ts'

export interface Fundamental {
  readonly symbol: string
  readonly startPrice: number
  /** Standard deviation of the log return over a year. */
  readonly volatility: number
  /** Log of price / startPrice. */
  deviation: number
}

/** Part of each return's variance that the common factor explains: the correlation of any two returns. */
export const COMMON_SHARE = 0.64

const YEAR_SECONDS = 365.25 * 86_400
// Half of a deviation is gone after 8 hours.
const PULL_PER_SECOND = Math.LN2 / (8 * 3_600)

const START: readonly (readonly [symbol: string, price: number, volatility: number])[] = [
  ['BTC/USDT', 64_000, 0.55],
  ['ETH/USDT', 3_100, 0.7],
  ['SOL/USDT', 150, 0.95],
  ['XRP/USDT', 2.1, 0.9],
  ['DOGE/USDT', 0.18, 1.1],
  ['ADA/USDT', 0.75, 1],
]

export const startFundamentals = (): Fundamental[] =>
  START.map(([symbol, startPrice, volatility]) => ({ symbol, startPrice, volatility, deviation: 0 }))

export const priceOf = ({ startPrice, deviation }: Fundamental): number => startPrice * Math.exp(deviation)

/** Moves all instruments by one interval: return = σ √dt (√share · factor + √(1 − share) · own). */
export function advance(fundamentals: readonly Fundamental[], seconds: number, random: Random): void {
  const factor = Math.sqrt(COMMON_SHARE) * random.normal()
  const keep = Math.exp(-PULL_PER_SECOND * seconds)
  for (const fundamental of fundamentals) {
    const shock = factor + Math.sqrt(1 - COMMON_SHARE) * random.normal()
    const sigma = fundamental.volatility * Math.sqrt(seconds / YEAR_SECONDS)
    fundamental.deviation = fundamental.deviation * keep + sigma * shock
  }
}
