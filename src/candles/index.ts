export { withMade } from './aggregate.ts'
export { candleBacking } from './backing.ts'
export { type Rebuilt, rebuildCandles } from './build.ts'
export type { BuiltTick } from './build-bars.ts'
export { calendarOf, maxAgeSeconds, vietnamCalendar } from './calendar.ts'
export type {
  Bar,
  BarKey,
  Candle,
  CandleQuery,
  CandleStore,
  CandlesWritten,
  Indicators,
  Interval,
} from './candle.ts'
export { INTERVALS } from './candle.ts'
export { type CandleReader, comparedCandles } from './compared-candles.ts'
export { type CsvCandles, type CsvCandlesOptions, openCsvCandles } from './csv-candles.ts'
export { CSV_HEADER, candleLine } from './csv-row.ts'
export { candleStores } from './cutover-candles.ts'
export { type Dividend, type PurgePlan, planPurge } from './dividend.ts'
export { type CandleEmitter, candleEmitter } from './events.ts'
export { TICK_INTERVALS, type TickInterval } from './fold-bars.ts'
export { type CandleImport, type CandleImportOptions, openCandleImport } from './import-candles.ts'
export type { CandleImportReport } from './import-report.ts'
export { tellChange } from './keep-bars.ts'
export { openSqlCandles, type SqlCandles, type SqlCandlesOptions } from './sql-candles.ts'
export type { CandlesChanged } from './sql-write.ts'
export { type CandleOptions, candleTasks } from './tasks.ts'
export { answerTickers, type TickersAnswer, type TickersOptions } from './tickers.ts'
export type { TickersQuery, TickersRequest } from './tickers-query.ts'
