// What the jobs say about themselves, in process.
import { EventEmitter } from 'eventemitter3'

export interface JobEvents {
  completed: (fact: { job: string; tookMs: number }) => void
  /** This run ended with an error; the next one comes at its time. */
  failed: (fact: { job: string; reason: string }) => void
  /** A worker died or was paused while it held the run; another takes it. */
  stalled: (fact: { queue: string; id: string }) => void
  /** A connection failed; BullMQ connects again by itself. */
  disturbed: (fact: { where: string; reason: string }) => void
}

export type JobEmitter = EventEmitter<JobEvents>
export const jobEmitter = (): JobEmitter => new EventEmitter<JobEvents>()
