// What candles say about themselves, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'

export type CandlePlace = 'database' | 'files'

export interface CandleEvents {
  /** A quote of which no bar was made. */
  refused: (fact: { reason: 'wide' | 'ahead' | 'repeated'; venue: string }) => void
  /** Ticks that came after their bars were given away: `sluice candles rebuild` brings them in. Times in ms UTC. */
  late: (fact: { source: string; ticker: string; ticks: number; from: number; to: number }) => void
  /** Committed. */
  kept: (fact: { stored: number; changed: number; older: number; tookMs: number }) => void
  /** Files follow the database. */
  projected: (fact: { bars: number; tookMs: number }) => void
  /** Writing waits for its store, and is tried again. */
  delayed: (fact: { where: CandlePlace; wait: string; reason: string }) => void
  /** What `wait` names is over: it is written, or another process has to. */
  resumed: (fact: { where: CandlePlace; wait: string }) => void
  /** An alarm: bars of a ticker could not be written, and trying again would not help. */
  unkept: (fact: { source: string; ticker: string; reason: string }) => void
}

export type CandleEmitter = EventEmitter<CandleEvents>
export const candleEmitter = (): CandleEmitter => new EventEmitter<CandleEvents>()
