// What the keeping of funding says about itself, in process.
import { EventEmitter } from 'eventemitter3'
import type { ContextResult } from './store-contexts.ts'
import type { RateResult } from './store-rates.ts'

/** `again`: that very message was booked before. */
export type Booked =
  | { readonly what: 'rate'; readonly result: RateResult | 'again' }
  | { readonly what: 'context'; readonly result: ContextResult }

export interface FundingEvents {
  /** Committed, whether or not it has changed anything. */
  booked: (fact: Booked & { venue: string; symbol: string; tookMs: number }) => void
}

export type FundingEmitter = EventEmitter<FundingEvents>
export const fundingEmitter = (): FundingEmitter => new EventEmitter<FundingEvents>()
