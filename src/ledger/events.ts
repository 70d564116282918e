// What the ledger says about itself, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'

export interface LedgerEvents {
  /** Committed. */
  booked: (fact: { kind: 'fill' | 'trade'; id: string; symbol: string; tookMs: number }) => void
  /** Came again and changed nothing. */
  duplicate: (fact: { kind: 'fill' | 'trade'; id: string; symbol: string }) => void
  /** An alarm: what came contradicts what is booked. */
  mismatch: (fact: { id: string; symbol: string; reason: string }) => void
  /** An alarm: the books differ from what says the same independently, or something is on its way for too long. */
  differing: (fact: { what: 'ledger' | 'inventory' | 'unbooked' | 'pending'; count: number }) => void
}

export type LedgerEmitter = EventEmitter<LedgerEvents>
export const ledgerEmitter = (): LedgerEmitter => new EventEmitter<LedgerEvents>()
