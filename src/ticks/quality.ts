// How good the ticks of one symbol and source of one UTC day are.

export interface SpreadAndGaps {
  readonly ticks: number
  /** Pauses of more than a minute between two ticks. */
  readonly gaps: number
  readonly maxGapMs: number
  /** Of those pauses together. */
  readonly gapMs: number
  /** From the first tick to the last. */
  readonly spanMs: number
  /** Ask less bid, quote units; undefined without ticks. */
  readonly minSpread: number | undefined
  readonly avgSpread: number | undefined
  readonly maxSpread: number | undefined
}

export interface QualityCount {
  /** In the order of time. */
  add(tick: {
    readonly time: number
    readonly nanos: number
    readonly bid: number
    readonly ask: number
  }): void
  result(): SpreadAndGaps
}

const GAP_MS = 60_000

export function openQualityCount(): QualityCount {
  let [ticks, gaps, maxGapMs, gapMs] = [0, 0, 0, 0]
  let [first, last] = [0, 0]
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  return {
    add({ time, nanos, bid, ask }) {
      const at = time + nanos / 1e6
      const pause = ticks === 0 ? 0 : at - last
      if (ticks === 0) first = at
      if (pause > GAP_MS) {
        gaps += 1
        gapMs += pause
        maxGapMs = Math.max(maxGapMs, pause)
      }
      last = at
      const spread = ask - bid
      min = Math.min(min, spread)
      max = Math.max(max, spread)
      sum += spread
      ticks += 1
    },
    result: () => ({
      ...{ ticks, gaps, maxGapMs, gapMs, spanMs: last - first },
      ...(ticks === 0
        ? { minSpread: undefined, avgSpread: undefined, maxSpread: undefined }
        : { minSpread: min, avgSpread: sum / ticks, maxSpread: max }),
    }),
  }
}

/**
 * 0 to 100: the share of ticks that were good × the share of the time between the first and the last that has no pause
 * of more than a minute. 0 without a good tick.
 */
export function scoreOf({ ticks, gapMs, spanMs }: SpreadAndGaps, quarantined: number): number {
  if (ticks === 0) return 0
  const covered = spanMs > 0 ? 1 - gapMs / spanMs : 1
  return Math.round((ticks / (ticks + quarantined)) * covered * 10_000) / 100
}
