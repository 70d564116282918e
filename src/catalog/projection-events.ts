// What the keeper of projections says about itself, in process. One observer turns these into metrics and logs; it stands
// on the keeper's own floor, so that neither could declare them for the other.
import { EventEmitter } from 'eventemitter3'
import type { ProjectionFamily } from './projections.ts'

export interface ProjectionEvents {
  /** A key has what was given, or already had something newer. */
  put: (fact: { family: ProjectionFamily; result: 'written' | 'overtaken' }) => void
  /** Something is not kept for a moment; it is tried again. */
  failed: (fact: { source: string; reason: string }) => void
  /** At that moment, ms UTC, all keys of a family were what the stores say: written, or looked at and unchanged. */
  current: (fact: { family: ProjectionFamily; at: number }) => void
}

export type ProjectionEmitter = EventEmitter<ProjectionEvents>
export const projectionEmitter = (): ProjectionEmitter => new EventEmitter<ProjectionEvents>()
