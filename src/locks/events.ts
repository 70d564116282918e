// What locks say about themselves, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'

export interface LockEvents {
  acquired: (fact: { resource: string; token: number; waitedMs: number }) => void
  /** Not had at once: it stands in the queue with so many in front; said again when that changes. */
  waiting: (fact: { resource: string; ahead: number }) => void
  refused: (fact: { resource: string; reason: 'taken' | 'unavailable'; waitedMs: number }) => void
  extended: (fact: { resource: string; remainingMs: number }) => void
  /** The work was told to stop: the deadline passed, or a server said that another holds the key. */
  lost: (fact: { resource: string; reason: 'deadline' | 'replaced' }) => void
  released: (fact: { resource: string; heldMs: number }) => void
  /** A server failed to answer about that key or channel; the lock goes on as long as a majority does. */
  disturbed: (fact: { where: string; server: number; reason: string }) => void
}

export type LockEmitter = EventEmitter<LockEvents>
export const lockEmitter = (): LockEmitter => new EventEmitter<LockEvents>()
