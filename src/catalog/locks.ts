// Every lock: the resource it protects, its Redis key, and the channel that says whose turn it is.
import { lockTurns } from './channels.ts'

/** One execution of a symbol at a time: its legs change the inventory that the next plan is made from. */
export const executeLock = (symbol: string) => `execute:${symbol}`

/** Filling the cache before anybody asks: one process at a time. */
export const WARM_LOCK = 'warm'

/** How `openLocks` names things in Redis. */
export const lockNames = {
  /** A hash tag, so that a lock and its queue share a slot of a cluster. */
  key: (resource: string) => `lock:{${resource}}`,
  turns: lockTurns,
} as const
