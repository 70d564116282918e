// Books what models say and decide and what analyses know, each record once.
import { bookRecords } from '../src/insights/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'insights',
  about: 'books what models and analyses say',
  usesDatabase: true,
  tasks({ bus, database, clock, relay, events }) {
    const parts = { bus, db: database, clock, events: events.insights, nudge: relay.nudge }
    return [bookRecords(parts), relay.task]
  },
}
