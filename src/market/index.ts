export { type BridgeOptions, bridgeTasks } from './bridge.ts'
export { type FeedOptions, feedTask } from './feed.ts'
export { type MarketEmitter, type MarketEvents, marketEmitter } from './market-events.ts'
export { REJECT_REASONS, type RejectReason } from './reasons.ts'
