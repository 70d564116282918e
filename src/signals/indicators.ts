// Indicators, one price at a time. Their memory is plain data, so that a fold can save it, and each answers as the
// textbook formula over the whole history would (a test compares).

/** An average that weighs the newest price by 2 / (n + 1), begun with the plain average of the first n. */
export interface Ema {
  readonly n: number
  count: number
  /** The sum of the prices until n of them are known, then the average. */
  value: number
}

export const newEma = (n: number): Ema => ({ n, count: 0, value: 0 })

/** Undefined until n prices are known. */
export function pushEma(ema: Ema, price: number): number | undefined {
  ema.count += 1
  if (ema.count > ema.n) {
    ema.value += (price - ema.value) * (2 / (ema.n + 1))
    return ema.value
  }
  ema.value += price
  if (ema.count < ema.n) return undefined
  ema.value /= ema.n
  return ema.value
}

export interface Sma {
  readonly n: number
  readonly window: number[]
}

export const newSma = (n: number): Sma => ({ n, window: [] })

/** The average of the last n prices. Added up anew each time: a running sum drifts. */
export function pushSma(sma: Sma, price: number): number | undefined {
  sma.window.push(price)
  if (sma.window.length > sma.n) sma.window.shift()
  if (sma.window.length < sma.n) return undefined
  return sma.window.reduce((sum, p) => sum + p, 0) / sma.n
}

export interface Rsi {
  readonly n: number
  count: number
  last: number
  /** Sums of the first n moves, then Wilder's averages. */
  gain: number
  loss: number
}

export const newRsi = (n: number): Rsi => ({ n, count: 0, last: 0, gain: 0, loss: 0 })

/**
 * Relative strength index, 0 to 100, with Wilder's smoothing (New Concepts in Technical Trading Systems, 1978):
 * the averages of the first n gains and losses, afterwards (average × (n − 1) + move) / n. Without any move: 50.
 */
export function pushRsi(rsi: Rsi, price: number): number | undefined {
  const move = rsi.count === 0 ? 0 : price - rsi.last
  rsi.last = price
  rsi.count += 1
  if (rsi.count === 1) return undefined
  const gain = Math.max(move, 0)
  const loss = Math.max(-move, 0)
  const moves = rsi.count - 1
  if (moves <= rsi.n) {
    rsi.gain += gain
    rsi.loss += loss
    if (moves < rsi.n) return undefined
    rsi.gain /= rsi.n
    rsi.loss /= rsi.n
  } else {
    rsi.gain = (rsi.gain * (rsi.n - 1) + gain) / rsi.n
    rsi.loss = (rsi.loss * (rsi.n - 1) + loss) / rsi.n
  }
  const total = rsi.gain + rsi.loss
  return total === 0 ? 50 : (100 * rsi.gain) / total
}

export interface Macd {
  readonly fast: Ema
  readonly slow: Ema
  readonly signal: Ema
}

export const newMacd = (fast: number, slow: number, signal: number): Macd => ({
  fast: newEma(fast),
  slow: newEma(slow),
  signal: newEma(signal),
})

/** Appel's MACD: EMA(fast) − EMA(slow), and the EMA(signal) of that difference; their distance. */
export function pushMacd(macd: Macd, price: number): number | undefined {
  const fast = pushEma(macd.fast, price)
  const slow = pushEma(macd.slow, price)
  if (fast === undefined || slow === undefined) return undefined
  const line = fast - slow
  const signal = pushEma(macd.signal, line)
  return signal === undefined ? undefined : line - signal
}

/** The side on which a distance left zero since the last sample; undefined when it did not cross. */
export function crossOf(before: number | undefined, now: number | undefined): 'buy' | 'sell' | undefined {
  if (before === undefined || now === undefined) return undefined
  if (before <= 0 && now > 0) return 'buy'
  return before >= 0 && now < 0 ? 'sell' : undefined
}
