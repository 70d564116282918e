// What the executor says about itself, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'
import type { ExecutionCompleted } from '../catalog/index.ts'
import type { Denial } from './risk.ts'

interface About {
  readonly opportunityId: string
  readonly symbol: string
}

export interface ArbitrageEvents {
  /** Legs settled and booked, in whatever outcome. */
  executed: (fact: About & { outcome: ExecutionCompleted['outcome']; profit: string; tookMs: number }) => void
  refused: (fact: About & Denial) => void
  /** A difference between the legs was traded back; `cost` in quote units, fees included, may be negative. */
  unwound: (fact: About & { quantity: string; cost: string }) => void
  /** A venue did not say what became of an order; it is asked again. */
  ambiguous: (fact: About & { venue: string; clientOrderId: string }) => void
  /** A difference between the legs stays in the inventory: somebody should know. */
  exposed: (fact: About & { venue: string; residual: string; reason: string }) => void
  /** An execution that another began was taken up. */
  recovered: (fact: About & { token: number }) => void
  /** An execution stays pending and is tried again; its orders may be at the venue. */
  postponed: (fact: About & { reason: string; inMs: number }) => void
}

export type ArbitrageEmitter = EventEmitter<ArbitrageEvents>
export const arbitrageEmitter = (): ArbitrageEmitter => new EventEmitter<ArbitrageEvents>()
