export { checkSources } from './check-sources.ts'
export {
  type DetectorConfig,
  type DetectorEmitter,
  type DetectorEvents,
  type DetectorFold,
  detector,
  detectorEmitter,
} from './detector.ts'
export { type ArbitrageEmitter, type ArbitrageEvents, arbitrageEmitter } from './events.ts'
export { type Execute, type ExecutorOptions, openExecutor } from './execute.ts'
export { parseBalances, seedInventory } from './inventory.ts'
export {
  type ExecutionTotals,
  executionTotals,
  latestExecutions,
  latestOpportunities,
  type OpportunityRow,
} from './reads.ts'
export { type Difference, pendingExecutions, reconcile, settledWithFills } from './reconcile.ts'
export { type BooksReplay, type BooksReplayOptions, replayBooks } from './replay-books.ts'
export { DENIALS, type Denial, type DenialCode } from './risk.ts'
export type { Enqueue } from './settle.ts'
export type { Refusal } from './spot.ts'
export type { Execution } from './store.ts'
export { executorTask, recorderTask } from './tasks.ts'
