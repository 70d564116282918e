// What runs in this context; a table of contents.
import type { Bus } from '../bus/index.ts'
import type { Config, Task } from '../kernel/index.ts'
import { arbitrageSignals } from './arbitrage.ts'
import { technicalSignals } from './technical.ts'

/** Both read as the group `signals` and publish to the stream `signals` and to `market:signal:*`. */
export const signalTasks = (bus: Bus, config: Pick<Config, 'QUOTE_MAX_AGE_MS'>): Task[] => [
  bus.fold(technicalSignals(config)),
  bus.fold(arbitrageSignals()),
]
