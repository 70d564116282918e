// How long a partition stands still when its owner changes, with the default lease of 5 s, processes of their own and
// 16 partitions under a steady feed: `node bench/handover.ts [--rounds n] [--json]`. A pause is the time between the
// last entry that the former owner handled and the first of the next.
import { type ChildProcess, fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { openBus, outgoing } from '../src/bus/index.ts'
import { systemClock } from '../src/kernel/index.ts'
import { startRedis } from '../test/support/redis.ts'
import { handoverStream } from './handover-stream.ts'
import { medianOf } from './rounds.ts'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
})
const FEED_EVERY_MS = 5
const SETTLE_MS = 2_000

const redis = await startRedis(['--appendfsync', 'everysec'])
const bus = openBus({ url: redis.url, clock: systemClock })
/** Of each partition: who handled its last entry, and when. */
const last = new Map<number, { worker: ChildProcess; at: number }>()
let pauses: number[] = []

function startWorker(): ChildProcess {
  const worker = fork(new URL('./handover-worker.ts', import.meta.url), [redis.url])
  worker.on('message', (partition: number) => {
    const at = performance.now()
    const before = last.get(partition)
    if (before && before.worker !== worker) pauses.push(at - before.at)
    last.set(partition, { worker, at })
  })
  return worker
}

async function feed(signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const events = Array.from({ length: 64 }, (_, k) =>
      outgoing(handoverStream, `${n}:${k}`, { key: `k${k}` }),
    )
    await bus.publish(events)
    await systemClock.sleep(FEED_EVERY_MS, signal)
  }
}

function end(worker: ChildProcess, how: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve())
    worker.kill(how)
  })
}

/** The pauses that a change brought, until every partition has gone on. */
async function pausesOf(change: () => unknown, waitMs: number): Promise<number[]> {
  pauses = []
  await change()
  await systemClock.sleep(waitMs)
  return pauses
}

function show(what: string, figures: number[], target: string): void {
  const sorted = figures.sort((a, b) => a - b)
  const line = { what, partitions: sorted.length, p50Ms: medianOf(sorted), maxMs: sorted.at(-1)!, target }
  const text = `${what.padEnd(28)} ${String(line.partitions).padStart(4)} moves  p50 ${line.p50Ms.toFixed(0)} ms  max ${line.maxMs.toFixed(0)} ms  (${target})`
  process.stdout.write(`${options.json ? JSON.stringify(line) : text}\n`)
}

const stop = new AbortController()
const first = startWorker()
const feeding = feed(stop.signal)
const moved: { join: number[]; leave: number[]; kill: number[] } = { join: [], leave: [], kill: [] }
try {
  await systemClock.sleep(SETTLE_MS)
  for (let round = 1; round <= Number(options.rounds); round++) {
    process.stderr.write(`round ${round}\n`)
    let second: ChildProcess | undefined
    const join = () => {
      second = startWorker()
    }
    moved.join.push(...(await pausesOf(join, SETTLE_MS)))
    moved.leave.push(...(await pausesOf(() => end(second!, 'SIGTERM'), SETTLE_MS)))
    await pausesOf(join, SETTLE_MS)
    moved.kill.push(...(await pausesOf(() => end(second!, 'SIGKILL'), SETTLE_MS + 5_000)))
  }
  show('a worker joins', moved.join, '< 200 ms')
  show('a worker leaves (SIGTERM)', moved.leave, '< 200 ms')
  show('a worker is killed (SIGKILL)', moved.kill, '≤ 6,000 ms: lease + 1 s')
} finally {
  stop.abort()
  await feeding
  await end(first, 'SIGTERM')
  await bus.close()
  await redis.stop()
}
