// What the way in says about itself, in process, for metrics and logs.
import { EventEmitter } from 'eventemitter3'
import type { RejectReason } from './reasons.ts'

export interface MarketEvents {
  /** Quotes, funding rates, contexts and records that were checked and are on their way. */
  accepted: (fact: { from: 'channel' | 'stream' | 'records' | 'feed'; count: number }) => void
  rejected: (fact: {
    from: 'channel' | 'stream' | 'records' | 'feed'
    reason: RejectReason | 'recording'
    count: number
  }) => void
  /** Channel messages that could not be published and are gone. */
  lost: (fact: { reason: 'queue_full' | 'stopped' | 'refused'; count: number }) => void
  /** A rejected message that could not be kept; it was counted by `rejected` all the same. */
  unkept: (fact: { reason: string; count: number }) => void
  /** Publishing waits: Redis is away or the stream is full. */
  waiting: (fact: { reason: string; queued: number; inMs: number }) => void
}

export type MarketEmitter = EventEmitter<MarketEvents>
export const marketEmitter = (): MarketEmitter => new EventEmitter<MarketEvents>()
