export {
  type Bus,
  type ChannelListener,
  type ConsumeOptions,
  type Entry,
  type FoldOptions,
  type FoldOutput,
  type HandlerContext,
  type Outgoing,
  outgoing,
  type Receipt,
  Reject,
  RetryAfter,
} from './bus.ts'
export { defineStream, partitionKeys, partitionOf, type Stream, streamKeys } from './stream.ts'
