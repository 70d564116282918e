// Builds candles from quotes and keeps them; longer ones and the files follow.
import { join } from 'node:path'
import { candleTasks, openCsvCandles, openSqlCandles } from '../src/candles/index.ts'
import { aborted } from '../src/kernel/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'candles',
  about: 'builds candles from quotes and keeps them',
  usesDatabase: true,
  features: ['candles'],
  tasks(platform) {
    const { bus, database, clock, config, relay, events } = platform
    const isDual = config.CANDLES_BACKEND === 'dual'
    return [
      ...candleTasks({
        ...{ bus, clock, db: database, events: events.candles, nudge: relay.nudge },
        from: openSqlCandles({ database, clock }),
        into: openCsvCandles({ dir: join(config.DATA_DIR, 'candles'), clock }),
        // Also without files their group reads on: one that stands still would hold up the trimming of its stream.
        writeLegacy: async (work) => {
          if (isDual) await platform.cutover.write('candles', { legacy: work })
        },
      }),
      relay.task,
      isDual ? platform.cutover.task : aborted,
    ]
  },
}
