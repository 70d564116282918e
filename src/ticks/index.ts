export type { Tick, TickCursor, TickQuery, TickSeries, TickStore, Written } from './tick.ts'
export { tickJson } from './tick-json.ts'
