// What runs in this context; a table of contents.
import type { Bus } from '../bus/index.ts'
import type { Task } from '../kernel/index.ts'
import { aggregateChanges } from './aggregate-changes.ts'
import { candlesFromTicks } from './fold.ts'
import { type KeeperOptions, keepCandles } from './keep-candles.ts'
import { type ProjectorOptions, projectCsv } from './project-csv.ts'

export interface CandleOptions extends KeeperOptions, Omit<ProjectorOptions, keyof KeeperOptions> {
  readonly bus: Bus
}

/** Ticks → bars → the database → longer bars, and the files behind all of it. */
export const candleTasks = (options: CandleOptions): Task[] => [
  options.bus.fold(candlesFromTicks(options.events)),
  keepCandles(options),
  aggregateChanges(options),
  projectCsv(options),
]
