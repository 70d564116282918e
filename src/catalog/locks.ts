// Every lock: the resource it protects, its Redis key, and the channel that says it is free again.
import { lockReleased } from './channels.ts'

/** One execution of a symbol at a time: its legs change the inventory that the next plan is made from. */
export const executeLock = (symbol: string) => `execute:${symbol}`

/** How `openLocks` names things in Redis. */
export const lockNames = {
  key: (resource: string) => `lock:${resource}`,
  released: lockReleased,
} as const
