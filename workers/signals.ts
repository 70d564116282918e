// Scores what the market and the detectors say, and publishes it as signals.
import type { Worker } from '../src/platform.ts'
import { signalTasks } from '../src/signals/index.ts'

export const worker: Worker = {
  name: 'signals',
  about: 'publishes technical and arbitrage signals',
  usesDatabase: false,
  tasks: ({ bus, config }) => signalTasks(bus, config),
}
