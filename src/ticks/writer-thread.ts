// The thread that writes ticks: SQLite and the making of blocks are synchronous, and the loop of the main thread must
// not stand still for them. Entry of a worker thread; imported by anybody else it does nothing.
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../kernel/index.ts'
import { openTickFiles, type TickFilesOptions } from './sqlite-files.ts'
import { serveTicks } from './writer-serve.ts'

/** What the thread is started with. */
export interface ThreadData extends Omit<TickFilesOptions, 'clock'> {
  readonly checkpointMs: number
  /** See `DaysOptions`. */
  readonly givesBackAll: boolean
}

if (parentPort) {
  const data = workerData as ThreadData
  serveTicks(parentPort, data, () => openTickFiles({ ...data, clock: systemClock }))
}
