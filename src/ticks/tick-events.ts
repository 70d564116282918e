// What the tick store says about itself, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'
import type { TickHealth } from './writer.ts'

export interface TickEvents {
  /** A batch of the stream is in a store. */
  stored: (fact: { store: string; stored: number; duplicate: number }) => void
  /** An alarm: a batch of the stream could not be stored; it is tried again, and nothing behind it is acknowledged. */
  unstored: (fact: { store: string; wait: string; reason: string; inMs: number }) => void
  /** It takes long to store one; told once. */
  slow: (fact: { store: string; wait: string; forMs: number }) => void
  /** What `wait` names is over: the batch is stored, or another process has to. */
  resumed: (fact: { store: string; wait: string }) => void
  quarantined: (fact: { reason: string; count: number }) => void
  /** A day that is over was rewritten, and its source removed. */
  archived: (fact: { day: string; ticks: number; bytes: number; tookMs: number }) => void
  /** It was not, and nothing was removed; tried again within the hour. */
  unarchived: (fact: { day: string; reason: string }) => void
  /** Taken into the queue. */
  received: (fact: { count: number }) => void
  /** A batch is in the files. */
  flushed: (fact: { stored: number; duplicate: number; tookMs: number }) => void
  /** The queue was full or the file of their day takes none: durable in the spill files, in the files later. */
  spilled: (fact: { count: number; bytes: number }) => void
  /** Out of the spill file and in the files. */
  drained: (fact: { stored: number; duplicate: number }) => void
  /** A write that did not succeed is tried again. */
  retried: (fact: { day: string; reason: string; inMs: number }) => void
  /** An alarm, once for each change of state: ticks of that day cannot be written. They are kept and tried again. */
  failing: (fact: { day: string; code: string; reason: string; since: number }) => void
  recovered: (fact: { day: string; forMs: number }) => void
  /** How the writer is, told every two seconds. */
  health: (fact: TickHealth) => void
  /** An alarm: these were not written and their callers were told. */
  refused: (fact: { count: number; code: string; reason: string }) => void
  /** An alarm: a file of spilled ticks, or of JSON, ends in bytes that nobody was told were safe, or is damaged inside and stays. */
  cut: (fact: { path: string; bytes: number; inside: boolean }) => void
  /** An alarm: spilled ticks stay in their file until the next start, because they cannot be written for a reason of their own. */
  kept: (fact: { path: string; count: number; reason: string }) => void
  /** Spilling itself fails; callers wait until it or the files go on. */
  unspilled: (fact: { reason: string }) => void
  /** Keeping the files in order failed; it is tried again. */
  disturbed: (fact: { where: 'checkpoint' | 'close'; reason: string }) => void
  /** An alarm: the writing thread ended; what it held was refused, another goes on. */
  died: (fact: { reason: string; refused: number }) => void
}

export type TickEmitter = EventEmitter<TickEvents>
export const tickEmitter = (): TickEmitter => new EventEmitter<TickEvents>()
