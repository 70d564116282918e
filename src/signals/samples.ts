// One price a second for a symbol: the median of the mids of its venues, in the time of the entries. A median of
// three or more is not moved by one venue that is wrong.
import type { Quote } from '../catalog/index.ts'

export interface Samples {
  /** Venue → [mid, quote time]. */
  readonly mids: Record<string, [mid: number, time: number]>
  /** The second that is being collected; 0 before the first entry. */
  second: number
}

export const newSamples = (): Samples => ({ mids: {}, second: 0 })

export interface Sample {
  readonly price: number
  readonly venues: readonly string[]
  /** Seconds since the sample before: 1 without a gap. */
  readonly seconds: number
}

/** Ends the second before `time`, when that is new: the price that stood at its end. Call before taking a quote. */
export function sampleBefore(samples: Samples, time: number, maxAgeMs: number): Sample | undefined {
  const second = Math.floor(time / 1000)
  if (second <= samples.second) return undefined
  const seconds = second - samples.second
  const first = samples.second === 0
  const endMs = (samples.second + 1) * 1000
  samples.second = second
  if (first) return undefined
  const fresh = Object.entries(samples.mids).filter(([, [, at]]) => endMs - at <= maxAgeMs)
  if (fresh.length === 0) return undefined
  return { price: median(fresh.map(([, [mid]]) => mid)), venues: fresh.map(([venue]) => venue), seconds }
}

/** A one-sided book has no mid and leaves the last one to grow old; an overtaken quote is dropped. */
export function takeMid(samples: Samples, venue: string, { bids, asks, time }: Quote): void {
  const bid = bids[0]?.[0]
  const ask = asks[0]?.[0]
  const known = samples.mids[venue]
  if (bid === undefined || ask === undefined || (known && time < known[1])) return
  samples.mids[venue] = [(bid + ask) / 2, time]
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
