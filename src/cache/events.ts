// What the cache says about itself, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'
import type { Comparison } from './comparing.ts'
import type { Counts } from './counts.ts'
import type { Holding } from './port.ts'
import type { WarmReport } from './warm.ts'

export interface CacheEvents {
  loaded: (fact: { view: string; tookMs: number }) => void
  /** A loader failed; every caller that waited for it got the error and nothing was stored. */
  failed: (fact: { view: string; reason: string }) => void
  /** An answer was given to its callers but not stored, because it was dropped while it was loading. */
  refused: (fact: { view: string }) => void
  /** A view was warmed, by this process. */
  warmed: (fact: WarmReport) => void
  /** What was done since the last time, and what is held now; every two seconds. */
  used: (fact: { done: Counts; now: Holding }) => void
  /** An answer that was given and what its source said a moment later. */
  compared: (fact: { view: string; place: string; result: Comparison; ageMs: number | undefined }) => void
  dropped: (fact: { entries: number }) => void
  flushed: (fact: { reason: FlushReason; entries: number }) => void
  /** Memory is served again (true) or no longer (false). */
  serving: (fact: { serving: boolean }) => void
  /** The level in Redis is used again (true), or answers come from their loaders (false). */
  reached: (fact: { reached: boolean; reason: string }) => void
  /** A connection of the cache failed; it comes back by itself. */
  disturbed: (fact: { reason: string }) => void
}

export type FlushReason = 'connected' | 'disconnected' | 'sequence' | 'epoch' | 'malformed' | 'closed'
export type CacheEmitter = EventEmitter<CacheEvents>
export const cacheEmitter = (): CacheEmitter => new EventEmitter<CacheEvents>()
