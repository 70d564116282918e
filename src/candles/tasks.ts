// What runs in this context; a table of contents.
import type { Task } from '../kernel/index.ts'
import { aggregateChanges } from './aggregate-changes.ts'
import { candlesFromTicks } from './fold.ts'
import { type KeeperOptions, keepCandles } from './keep-candles.ts'
import { openProjector, type ProjectorOptions } from './project-csv.ts'

export type CandleOptions = KeeperOptions & ProjectorOptions

/** Ticks → bars → the database → longer bars, and the files behind all of it. */
export function candleTasks(options: CandleOptions): Task[] {
  const files = openProjector(options)
  return [
    options.bus.fold(candlesFromTicks(options.events)),
    options.bus.fold(keepCandles(options)),
    options.bus.fold(aggregateChanges(options)),
    options.bus.fold(files.fold),
    files.task,
  ]
}
