// The writing thread with planted faults: a tick of the symbol DIE ends it before its batch is written, and a batch
// with one of the symbol FAIL cannot be written.
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../src/kernel/index.ts'
import { openTickFiles, type TickFiles } from '../../src/ticks/sqlite-files.ts'
import { serveTicks } from '../../src/ticks/writer-serve.ts'
import type { ThreadData } from '../../src/ticks/writer-thread.ts'

function openMortal(data: ThreadData): TickFiles {
  const files = openTickFiles({ ...data, clock: systemClock })
  return {
    ...files,
    write(batch) {
      if (batch.series.some(({ symbol }) => symbol === 'DIE')) process.exit(3)
      if (batch.series.some(({ symbol }) => symbol === 'FAIL')) throw new RangeError('planted')
      return files.write(batch)
    },
  }
}

if (parentPort) {
  const data = workerData as ThreadData
  serveTicks(parentPort, data, () => openMortal(data))
}
