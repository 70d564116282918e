// Lifts what outside programs PUBLISH or XADD into market.quotes. Two of them at once make no duplicate.
import { bridgeTasks } from '../src/market/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'bridge',
  about: 'checks quotes from outside and lifts them into market.quotes',
  usesDatabase: false,
  tasks: ({ bus, venues, config, clock, events }) =>
    bridgeTasks({ bus, venues, config, clock, events: events.market }),
}
