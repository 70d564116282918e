export type { Tick, TickCursor, TickQuery, TickSeries, TickStore, Written } from './tick.ts'
export { type TickEmitter, tickEmitter } from './tick-events.ts'
export { tickJson } from './tick-json.ts'
