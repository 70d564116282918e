// What a message of `market.quotes` says about the best bid and ask.
import type { QuoteMessage } from '../catalog/index.ts'
import type { Tick } from './tick.ts'

export const SIMULATED = 1

/**
 * One tick for each quote with both sides, in the order of the message; ticks of one symbol and time are numbered.
 * Times of the stream are ms with a fraction, a float64 that holds microseconds; what is beyond them is its rounding.
 */
export function ticksOfMessage({ venue, quotes, simulated }: QuoteMessage): Tick[] {
  const ticks: Tick[] = []
  const numbers = new Map<string, number>()
  for (const { symbol, bids, asks, time } of quotes) {
    const [bid, ask] = [bids[0], asks[0]]
    if (!bid || !ask) continue
    const micros = Math.round(time * 1_000)
    const ms = Math.floor(micros / 1_000)
    const nanos = (micros - ms * 1_000) * 1_000
    const place = `${micros} ${symbol}`
    const sequence = numbers.get(place) ?? 0
    numbers.set(place, sequence + 1)
    ticks.push({
      ...{ symbol, source: venue, time: ms, nanos, sequence },
      ...{ bid: bid[0], ask: ask[0], bidSize: bid[1], askSize: ask[1] },
      ...{ volume: 0, flags: simulated ? SIMULATED : 0, broker: '' },
    })
  }
  return ticks
}
