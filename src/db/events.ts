// What the database says about itself, in process. One observer turns these into metrics and logs.
import { EventEmitter } from 'eventemitter3'

export interface DatabaseEvents {
  /** A transaction ended well; `waitedMs` passed before it began. */
  done: (fact: { kind: 'read' | 'write'; waitedMs: number; tookMs: number }) => void
  /** A transaction begins anew: the database was locked, or a race was lost. */
  retried: (fact: { kind: 'read' | 'write'; attempt: number; reason: string }) => void
  failed: (fact: { kind: 'read' | 'write'; reason: string }) => void
  afterCommitFailed: (fact: { reason: string }) => void
  /** An idle connection broke; the next call opens another. */
  disturbed: (fact: { reason: string }) => void
}

export type DatabaseEmitter = EventEmitter<DatabaseEvents>
export const databaseEmitter = (): DatabaseEmitter => new EventEmitter<DatabaseEvents>()
