// How much an opportunity is worth in depth: level against level of both books until the margin ends.
import type { Level } from '../catalog/index.ts'

export interface SweepRules {
  /** Factors of fees.ts. */
  readonly buyFactor: number
  readonly sellFactor: number
  /** Every matched pair of levels earns more than this fraction. */
  readonly minEdge: number
  /** Levels of each side that are looked at. */
  readonly maxLevels: number
}

export interface Sweep {
  /** Base units. */
  readonly quantity: number
  /** After both fees, in the quote currency. */
  readonly profit: number
  /** Highest ask and lowest bid that took part: the limits of the legs. NaN when nothing matched. */
  readonly buyLimit: number
  readonly sellLimit: number
}

/** Buys from `asks` and sells into `bids` (both best first). At most asks + bids steps. */
export function sweep(asks: readonly Level[], bids: readonly Level[], rules: SweepRules): Sweep {
  const askCount = Math.min(asks.length, rules.maxLevels)
  const bidCount = Math.min(bids.length, rules.maxLevels)
  const margin = 1 + rules.minEdge
  let [quantity, profit, buyLimit, sellLimit] = [0, 0, Number.NaN, Number.NaN]
  let [a, b] = [0, 0]
  let askLeft = asks[0]?.[1] ?? 0
  let bidLeft = bids[0]?.[1] ?? 0
  while (a < askCount && b < bidCount) {
    const [ask] = asks[a]!
    const [bid] = bids[b]!
    const cost = ask * rules.buyFactor
    const proceeds = bid * rules.sellFactor
    if (!(proceeds > cost * margin)) break
    const matched = Math.min(askLeft, bidLeft)
    quantity += matched
    profit += matched * (proceeds - cost)
    buyLimit = ask
    sellLimit = bid
    askLeft -= matched
    bidLeft -= matched
    if (askLeft <= 0) askLeft = asks[++a]?.[1] ?? 0
    if (bidLeft <= 0) bidLeft = bids[++b]?.[1] ?? 0
  }
  return { quantity, profit, buyLimit, sellLimit }
}
