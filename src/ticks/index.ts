export { timeText } from './parse-time.ts'
export type { Tick, TickCursor, TickQuery, TickSeries, TickStore, Written } from './tick.ts'
