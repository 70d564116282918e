export {
  type Bus,
  type ChannelListener,
  type ConsumeOptions,
  type DeadLetter,
  type DeadLetterQuery,
  type Entry,
  type FoldOptions,
  type FoldOutput,
  type GroupStatus,
  type HandlerContext,
  type Outgoing,
  type Ownership,
  outgoing,
  type PartitionStatus,
  type Receipt,
  Reject,
  RetryAfter,
  type SeekPlace,
  type SeekTarget,
  type StreamStatus,
} from './bus.ts'
export { checkOwnership } from './check-ownership.ts'
export { type BusEmitter, type BusEvents, busEmitter } from './events.ts'
export { firstTime, forgetInbox } from './inbox.ts'
export { type BusOptions, type OpenBus, openBus } from './open.ts'
export { enqueue, enqueueTell, openRelay, type Relay } from './outbox.ts'
export { readSeekTarget, seekTargetText } from './seek-place.ts'
export { defineStream, partitionKeys, partitionOf, type Stream } from './stream.ts'
export { writeEffect } from './write-effect.ts'
