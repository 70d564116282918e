// Finds opportunities in the partitions of market.quotes that this process owns.
import { detector } from '../src/arbitrage/index.ts'
import type { Worker } from '../src/platform.ts'

export const worker: Worker = {
  name: 'detector',
  about: 'finds spot opportunities between venues',
  usesDatabase: false,
  tasks: ({ bus, venues, config, events }) => [bus.fold(detector(venues, config, events.detector))],
}
