// What a price is worth after the taker's fee, which both legs pay in the quote currency.

/** One base unit bought at `ask` costs ask × this. */
export const buyFactor = (feeBps: number): number => 1 + feeBps / 10_000

/** One base unit sold at `bid` brings bid × this. */
export const sellFactor = (feeBps: number): number => 1 - feeBps / 10_000

/** What selling at `bid` brings over what buying at `ask` costs, both after fees, less one; a fraction. */
export const edgeOf = (bid: number, ask: number, sell: number, buy: number): number =>
  (bid * sell) / (ask * buy) - 1

export const toBps = (fraction: number): number => fraction * 10_000
