// What every worker process says about itself, for the console and the metrics. Kept under an expiring key, so a
// worker that dies is forgotten by itself; the list only says where to look.
import { z } from 'zod'

/** Redis keys. One hash tag, so that list and reports can be read together. */
export const workerKeys = {
  /** Set of process ids that have reported. */
  list: '{workers}:list',
  report: (id: string) => `{workers}:report:${id}`,
} as const

export const REPORT_EVERY_MS = 2_000
/** Three reports may fail before a worker is taken for dead. */
export const REPORT_LIFE_MS = 8_000

/** [metric, labels, value since the process started]. */
export const counterSample = z.tuple([z.string(), z.record(z.string(), z.string()), z.number()])
export type CounterSample = z.infer<typeof counterSample>

/** What a worker cannot do at present, and tries again. */
const trouble = z.object({
  /** Names it among those of all workers: `ticks of 2026-01-19`. */
  what: z.string(),
  reason: z.string(),
  /** ms UTC. */
  since: z.number(),
  /** By the worker's own clock. */
  forMs: z.number(),
})
export type Trouble = z.infer<typeof trouble>

export const workerReport = z.object({
  /** host:pid:boot. */
  id: z.string(),
  name: z.string(),
  pid: z.number().int(),
  startedAt: z.number(),
  uptimeMs: z.number(),
  rssBytes: z.number(),
  heapBytes: z.number(),
  /** 99th percentile since the last report. */
  loopDelayP99Ms: z.number(),
  counters: z.array(counterSample),
  /** A worker of an older release names none. */
  troubles: z.array(trouble).default([]),
})
export type WorkerReport = z.infer<typeof workerReport>
