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
export { type CandleEmitter, candleEmitter } from './events.ts'
