// A consumer in a process of its own for bench/handover.ts: tells its parent of each entry, and drains at SIGTERM.
import { openBus } from '../src/bus/index.ts'
import { systemClock } from '../src/kernel/index.ts'
import { handoverStream } from './handover-stream.ts'

const bus = openBus({ url: process.argv[2]!, clock: systemClock })
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
process.once('disconnect', () => process.exit(1))
await bus.consume({
  ...{ stream: handoverStream, group: 'g', order: 'key' },
  async handle({ partition }) {
    process.send?.(partition)
  },
})(stop.signal)
await bus.close()
process.disconnect?.()
