// Books fills and trades, each once.
import { parseBalances } from '../src/arbitrage/index.ts'
import { bookExecutions, seedCash } from '../src/ledger/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'ledger',
  about: 'books each fill once',
  usesDatabase: true,
  tasks({ bus, database, clock, config, venues, relay, events }) {
    const book = bookExecutions({ bus, db: database, clock, events: events.ledger, nudge: relay.nudge })
    return [
      async (signal) => {
        // Balances come before the first fill that changes them.
        await database.write((tx) => seedCash(tx, venues.names(), parseBalances(config.PAPER_BALANCES)))
        await book(signal)
      },
      relay.task,
    ]
  },
}
