// Executes opportunities on paper, and keeps a record of every one that was seen.
import {
  checkSources,
  executorTask,
  openExecutor,
  recorderTask,
  seedInventory,
} from '../src/arbitrage/index.ts'
import { decimal } from '../src/kernel/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'executor',
  about: 'executes opportunities under a lock and a fencing token',
  usesDatabase: true,
  tasks(platform) {
    const { bus, database, locks, clock, config, venues, venue, enqueue, relay, events } = platform
    const execute = openExecutor({
      ...{ database, locks, clock, venue, enqueue, events: events.arbitrage },
      sources: (opportunity) => checkSources(bus, opportunity),
      time: config.MARKET_TIME,
      maxAgeMs: config.OPPORTUNITY_MAX_AGE_MS,
      maxAheadMs: config.QUOTE_MAX_AHEAD_MS,
      minEdgeBps: config.MIN_EDGE_BPS,
      maxNotional: decimal(config.MAX_NOTIONAL),
      // What a killed executor held is free as soon as its partitions are.
      lockTtlMs: config.LEASE_MS,
    })
    return [
      async (signal) => {
        // Nothing is executed before every venue has its first balances.
        await database.write((tx) => seedInventory(tx, venues.names(), config.PAPER_BALANCES))
        await executorTask(bus, execute)(signal)
      },
      recorderTask(bus, database),
      relay.task,
    ]
  },
}
