// Builds candles from quotes and keeps them; longer ones and the files follow.
import { join } from 'node:path'
import { candleTasks, openCsvCandles, openSqlCandles } from '../src/candles/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'candles',
  about: 'builds candles from quotes and keeps them',
  usesDatabase: true,
  tasks({ bus, database, clock, config, relay, cutover, events }) {
    const sql = openSqlCandles({ database, clock })
    const csv = openCsvCandles({ dir: join(config.DATA_DIR, 'candles'), clock })
    return [
      ...candleTasks({
        ...{ bus, clock, db: database, events: events.candles, nudge: relay.nudge },
        ...{ from: sql, into: csv, writeLegacy: (work) => cutover.write('candles', { legacy: work }) },
      }),
      relay.task,
      cutover.task,
    ]
  },
}
