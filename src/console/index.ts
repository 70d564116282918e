export type {
  About,
  ArbitrageTotals,
  Changes,
  DecisionRow,
  History,
  HistoryFiles,
  PartHealth,
  Questions,
  Readiness,
  Status,
  StreamSummary,
} from './answers.ts'
export { type ConsoleOptions, openConsole } from './console.ts'
export { type CounterName, type Counters, openCounters } from './counters.ts'
export type { Emitters } from './emitters.ts'
export { LIMIT_DEFAULT } from './limit.ts'
export { PAGE_LIMITS } from './live.ts'
export { observe } from './observe.ts'
export { openHistory } from './open-history.ts'
export { type ReportOptions, readReports, reportWorker } from './reports.ts'
export { type StatusLineOptions, statusLine } from './status-line.ts'
