// What the cut-over engine says about itself, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'
import type { Phase } from './phase.ts'

export interface CutoverEvents {
  /** This process has learned of a change. */
  learned: (fact: { feature: string; from: Phase; to: Phase; revision: number }) => void
  /** Reads differed, and the feature was put back by one phase. */
  steppedBack: (fact: { feature: string; from: Phase; to: Phase; reason: string }) => void
  /** A read was compared: `late` were equal only after a pause, `moving` changed whenever they were looked at. */
  compared: (fact: { feature: string; result: 'equal' | 'late' | 'moving' | 'different' }) => void
  /** Not compared, because enough comparisons were under way. */
  skipped: (fact: { feature: string }) => void
  /** The store that does not answer could not be read. */
  unread: (fact: { feature: string; what: string; reason: string }) => void
  /** The database could not be asked for so long; the last known phases stay in force here. */
  blind: (fact: { forMs: number; reason: string }) => void
  sighted: (fact: { afterMs: number }) => void
  /** Something failed that is made up for: a message (the poll finds the change), a step back (it is tried again). */
  disturbed: (fact: { where: string; reason: string }) => void
}

export type CutoverEmitter = EventEmitter<CutoverEvents>
export const cutoverEmitter = (): CutoverEmitter => new EventEmitter<CutoverEvents>()
