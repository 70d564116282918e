// Keeps every valid tick, and says which quotes were none.
import type { Worker } from '../src/platform.ts'
import { tickTasks } from '../src/ticks/index.ts'

export const worker: Worker = {
  name: 'ticks',
  about: 'keeps every tick',
  usesDatabase: true,
  features: ['ticks'],
  tasks: (platform) =>
    tickTasks({
      ...{ bus: platform.bus, database: platform.database, clock: platform.clock, config: platform.config },
      ...{ events: platform.events.ticks, cutover: () => platform.cutover },
    }),
}
