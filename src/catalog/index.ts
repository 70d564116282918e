// START READING HERE. Every name that crosses a process, and the shape of what travels under it.
export { type BoardOf, parseBoards, splitByBoard } from './boards.ts'
export {
  type CandleBars,
  type CandleChange,
  candleBars,
  candleSource,
  candlesChanged,
  candleVenue,
  marketCandles,
  type TickBar,
} from './candles.ts'
export {
  CACHE_DROPS,
  INPUT_CHANNEL,
  INPUT_PATTERNS,
  inputChannels,
  signalChannel,
  tickChannel,
} from './channels.ts'
export { CUTOVER_CHANGES, FEATURE_NAMES, FEATURES, type FeatureName } from './features.ts'
export {
  type ContextRow,
  FIRST_FUNDING,
  type FundingEvent,
  type FundingRow,
  inputFunding,
  marketFunding,
  rateText,
  settlementOf,
} from './funding.ts'
export {
  ALL_VENUES,
  assetContexts,
  fundingDrops,
  fundingHistory,
  latestFunding,
} from './funding-views.ts'
export {
  type CycleRow,
  INSIGHT_DROPS,
  type LevelsRow,
  lastCycle,
  latestMessages,
  latestScores,
  type MessageRow,
  type ScoreRow,
  symbolLevels,
} from './insight-views.ts'
export {
  type InsightKind,
  type InsightRecord,
  insightRecord,
  type MessageRecord,
  messageRecord,
  type RecordOf,
} from './insights.ts'
export { JOB_PREFIX, JOBS } from './jobs.ts'
export { entryOf, REDIS_KEYS } from './keys.ts'
export {
  ALWAYS_OPEN,
  candleLifetimeMs,
  levelsLifeMs,
  type MarketHours,
  SCORE_LIFE_MS,
} from './lifetimes.ts'
export { executeLock, lockNames, WARM_LOCK } from './locks.ts'
export {
  feedPlaces,
  type InputRejected,
  type Level,
  type Quote,
  type QuoteMessage,
  quote,
  quoteMessage,
  symbolName,
  venueName,
} from './market.ts'
export { type ProjectionEmitter, type ProjectionEvents, projectionEmitter } from './projection-events.ts'
export {
  familyOf,
  PROJECTION_FAMILIES,
  PROJECTION_LOCK,
  PROJECTIONS,
  type Projection,
  type ProjectionFamily,
  projectionKeys,
  projections,
} from './projections.ts'
export {
  type CounterSample,
  REPORT_EVERY_MS,
  REPORT_LIFE_MS,
  type Trouble,
  type WorkerReport,
  workerKeys,
  workerReport,
} from './reports.ts'
export {
  executions,
  inputQuotes,
  inputRecords,
  insightRecords,
  marketQuotes,
  opportunities,
  rejectedInput,
  STREAMS,
  signals,
  streamNamed,
} from './streams.ts'
export {
  type ExecutionCompleted,
  type ExecutionEvent,
  executionCompleted,
  type Fill,
  type Opportunity,
  opportunity,
  type Side,
  type Signal,
  type Source,
  signal,
} from './trading.ts'
export {
  allPositions,
  type CandleRange,
  candleDrops,
  candleRanges,
  type EquityRow,
  FILL_DROPS,
  type LedgerTotals,
  latestEquity,
  latestOpportunities,
  latestTrades,
  type OpportunityRow,
  type PositionRow,
  statusTotals,
  TRADE_DROPS,
  type TradeRow,
  VIEWS,
} from './views.ts'
