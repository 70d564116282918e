// How a worker tells of itself, and how the gateway reads it: one expiring key for each process. It is written
// for people to look at: a report that cannot be written never stops the worker.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import {
  REPORT_EVERY_MS,
  REPORT_LIFE_MS,
  type WorkerReport,
  workerKeys,
  workerReport,
} from '../catalog/index.ts'
import { type Clock, messageOf, processId, repeat, type Task } from '../kernel/index.ts'
import type { Redis } from '../redis/index.ts'
import type { Observed } from './observe.ts'

export interface ReportOptions {
  /** A writer connection that is already in use. */
  readonly redis: Redis
  readonly clock: Clock
  /** The worker's name. */
  readonly name: string
  /** What it has counted, and what it cannot do. */
  readonly counters: Pick<Observed, 'list' | 'troubles'>
  /** Told when a report could not be written. */
  readonly onFailure?: (reason: string) => void
  readonly everyMs?: number
  /** Names this process; default its host, pid and boot. */
  readonly id?: string
}

const LOOP_RESOLUTION_MS = 10

/** Reports every two seconds, and signs off at the abort. */
export const reportWorker =
  (options: ReportOptions): Task =>
  async (signal) => {
    const { redis, clock, name, counters, id = processId } = options
    const startedAt = clock.now()
    const started = clock.monotonic()
    const delays = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
    delays.enable()
    const report = (): WorkerReport => {
      const { rss, heapUsed } = process.memoryUsage()
      // Node measures the whole interval between two looks; what is beyond the resolution is the delay.
      const p99 = delays.count > 0 ? delays.percentile(99) / 1e6 - LOOP_RESOLUTION_MS : 0
      delays.reset()
      return {
        id,
        name,
        pid: process.pid,
        startedAt,
        uptimeMs: Math.round(clock.monotonic() - started),
        rssBytes: rss,
        heapBytes: heapUsed,
        loopDelayP99Ms: Math.max(0, Math.round(p99 * 100) / 100),
        counters: counters.list(),
        troubles: counters.troubles(),
      }
    }
    const attempt = async (write: () => Promise<unknown>) => {
      try {
        await write()
      } catch (error) {
        options.onFailure?.(messageOf(error))
      }
    }
    await repeat(options.everyMs ?? REPORT_EVERY_MS, clock, () =>
      attempt(() =>
        redis
          .multi()
          .set(workerKeys.report(id), JSON.stringify(report()), 'PX', REPORT_LIFE_MS)
          .sadd(workerKeys.list, id)
          .exec(),
      ),
    )(signal)
    delays.disable()
    await attempt(() => redis.multi().del(workerKeys.report(id)).srem(workerKeys.list, id).exec())
  }

/** What every living worker reported last, by name and start. Forgets those that fell silent. */
export async function readReports(redis: Redis): Promise<WorkerReport[]> {
  const ids = await redis.smembers(workerKeys.list)
  if (ids.length === 0) return []
  const texts = await redis.mget(ids.map(workerKeys.report))
  const silent = ids.filter((_, i) => texts[i] === null)
  if (silent.length > 0) await redis.srem(workerKeys.list, ...silent)
  return texts
    .flatMap((text) => (text === null ? [] : readReport(text)))
    .sort((a, b) => (a.name === b.name ? a.startedAt - b.startedAt : a.name < b.name ? -1 : 1))
}

/** A worker of another release may report in another shape: it is left out. */
function readReport(text: string): WorkerReport[] {
  try {
    const parsed = workerReport.safeParse(JSON.parse(text))
    return parsed.success ? [parsed.data] : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
