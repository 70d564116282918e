// What the bus says about itself, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'

export interface BusEvents {
  published: (fact: { stream: string; count: number; duplicates: number; tookMs: number }) => void
  refused: (fact: { stream: string; partition: number; reason: 'overloaded'; length: number }) => void
  handled: (fact: { stream: string; group: string; count: number; tookMs: number }) => void
  retried: (fact: {
    stream: string
    group: string
    entry: string
    attempt: number
    inMs: number
    reason: string
  }) => void
  deadLettered: (fact: {
    stream: string
    group: string
    entry: string
    attempts: number
    reason: string
  }) => void
  /** Entries that vanished before they were acknowledged, or a hole in the sequence: a loss. */
  lost: (fact: { stream: string; group: string; partition: number; count: number; reason: string }) => void
  tookOver: (fact: {
    stream: string
    group: string
    partition: number
    epoch: number
    pending: number
  }) => void
  handedOver: (fact: { stream: string; group: string; partition: number; epoch: number }) => void
  /** An acknowledgement or output of a former owner was refused. */
  fenced: (fact: { stream: string; group: string; partition: number; epoch: number }) => void
  /** A consumer here has noticed that its group was paused, or that it was resumed. */
  paused: (fact: { stream: string; group: string }) => void
  resumed: (fact: { stream: string; group: string }) => void
  trimmed: (fact: { stream: string; partition: number; count: number }) => void
  /**
   * A connection failed or a reader was restarted; reading goes on by itself. `passing`: the server is away or takes
   * nothing for now, which disturbs every place at once.
   */
  disturbed: (fact: { where: string; reason: string; passing: boolean }) => void
}

export type BusEmitter = EventEmitter<BusEvents>
export const busEmitter = (): BusEmitter => new EventEmitter<BusEvents>()
