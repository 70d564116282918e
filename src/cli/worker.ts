// `sluice worker <name…>`: one or several workers in this process, until told to stop.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { processEnvironment, runTasks, SluiceError } from '../kernel/index.ts'
import { runWorker, type Worker } from '../platform.ts'
import { checkTexts } from './check-settings.ts'
import { ROOT, workerNames } from './project.ts'
import { runningConfig } from './running-config.ts'
import { stopSignal, watchForeman } from './stop-signal.ts'

/** Ends the process when what the workers held is done, or when it took longer than DRAIN_MS. Throws USAGE. */
export async function runWorkers(names: readonly string[]): Promise<void> {
  const known = workerNames()
  const unknown = names.filter((name) => !known.includes(name))
  if (unknown.length > 0) {
    throw new SluiceError('USAGE', `There is no worker ${unknown.join(', ')}; allowed: ${known.join(', ')}`, {
      unknown,
    })
  }
  const environment = processEnvironment()
  const config = runningConfig(environment)
  checkTexts(config)
  const workers = await Promise.all([...new Set(names)].map(importWorker))
  const stop = stopSignal()
  watchForeman(environment, () => process.kill(process.pid, 'SIGTERM'))
  const tasks = workers.map((worker) => (signal: AbortSignal) => runWorker(config, worker, signal))
  try {
    await runTasks(tasks, stop.signal)
    process.exit(0)
  } catch {
    // The worker has logged it. What could not be drained must not keep the process.
    process.exit(1)
  }
}

async function importWorker(name: string): Promise<Worker> {
  const module: { worker: Worker } = await import(pathToFileURL(join(ROOT, 'workers', `${name}.ts`)).href)
  return module.worker
}
