export { type LockEmitter, type LockEvents, lockEmitter } from './events.ts'
export { checkFence, type Fence, issueFence } from './fence.ts'
export {
  type Held,
  type HoldOptions,
  type HoldResult,
  type Locks,
  type LocksOptions,
  openLocks,
} from './locks.ts'
