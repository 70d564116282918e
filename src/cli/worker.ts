// `sluice worker <name…>`: one or several workers in this process, until told to stop.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { processEnvironment, SluiceError } from '../kernel/index.ts'
import { runWorker, type Worker } from '../platform.ts'
import { ROOT, workerNames } from './project.ts'
import { runningConfig } from './running-config.ts'
import { stopSignal, watchForeman } from './stop-signal.ts'

/** Resolves when what the workers held is done. */
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
  const workers = await Promise.all([...new Set(names)].map(importWorker))
  const stop = stopSignal()
  watchForeman(environment, () => process.kill(process.pid, 'SIGTERM'))
  await Promise.all(workers.map((worker) => runWorker(config, worker, stop.signal)))
}

async function importWorker(name: string): Promise<Worker> {
  const module: { worker: Worker } = await import(pathToFileURL(join(ROOT, 'workers', `${name}.ts`)).href)
  return module.worker
}
