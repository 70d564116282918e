// What is wrong with a tick by itself.
import type { QualityReason } from './quality-reason.ts'
import type { Tick } from './tick.ts'

/** A share of the bid. */
const SPREAD_MAX = 0.1
const AHEAD_MAX_MS = 60_000
const LIVE_AGE_MAX_MS = 86_400_000

export interface Fault {
  readonly reason: QualityReason
  readonly detail: string
}

/** `now` in ms UTC; undefined for a tick that may be used. */
export function faultOf(tick: Tick, now: number, live: boolean): Fault | undefined {
  const { bid, ask, time } = tick
  if (!Number.isFinite(bid) || !Number.isFinite(ask)) return { reason: 'bad_number', detail: pricesOf(tick) }
  if (bid <= 0 || ask <= 0) return { reason: 'non_positive', detail: pricesOf(tick) }
  if (bid > ask) return { reason: 'crossed', detail: pricesOf(tick) }
  if (ask - bid > bid * SPREAD_MAX) return { reason: 'wide_spread', detail: pricesOf(tick) }
  const ageMs = now - time
  if (ageMs < -AHEAD_MAX_MS) return { reason: 'future', detail: `${-ageMs} ms ahead of the clock` }
  if (live && ageMs > LIVE_AGE_MAX_MS) return { reason: 'too_old', detail: `${ageMs} ms old` }
  return undefined
}

const pricesOf = ({ bid, ask }: Tick) => `bid ${bid}, ask ${ask}`
