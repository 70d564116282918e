// What the keeping of records says about itself, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'
import type { InsightKind } from '../catalog/index.ts'

export interface InsightEvents {
  /** Committed. */
  booked: (fact: { kind: InsightKind; tookMs: number }) => void
  /** Changed nothing: it came again, or what is kept is newer. */
  passed: (fact: { kind: InsightKind; reason: 'duplicate' | 'older' }) => void
}

export type InsightEmitter = EventEmitter<InsightEvents>
export const insightEmitter = (): InsightEmitter => new EventEmitter<InsightEvents>()
