// Books fills and trades, each once; and funding rates, which need the same: the inbox, the outbox and one owner of each
// key. A worker of their own would be a process more for some hundred rows in eight hours.
import { parseBalances } from '../src/arbitrage/index.ts'
import { bookFundings } from '../src/funding/index.ts'
import { bookExecutions, seedCash } from '../src/ledger/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'ledger',
  about: 'books each fill and each funding rate once',
  usesDatabase: true,
  tasks({ bus, database, clock, config, venues, relay, events }) {
    const book = bookExecutions({ bus, db: database, clock, events: events.ledger, nudge: relay.nudge })
    const keep = bookFundings({ bus, db: database, clock, events: events.funding, nudge: relay.nudge })
    return [
      async (signal) => {
        // Balances come before the first fill that changes them.
        await database.write((tx) => seedCash(tx, venues.names(), parseBalances(config.PAPER_BALANCES)))
        await book(signal)
      },
      keep,
      relay.task,
    ]
  },
}
