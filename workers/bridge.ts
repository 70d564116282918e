// Lifts what outside programs PUBLISH or XADD into market.quotes, market.funding and insights.records. Two of them at once
// make no duplicate.
import { bridgeTasks } from '../src/market/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'bridge',
  about: 'checks quotes, funding and records from outside and lifts them into the streams',
  usesDatabase: false,
  tasks: ({ bus, venues, config, clock, events }) =>
    bridgeTasks({ bus, venues, config, clock, events: events.market }),
}
