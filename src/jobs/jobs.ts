// Scheduled background work on BullMQ. Any number of processes may schedule and run the same jobs: a schedule is an
// upsert under the job's name, a run belongs to one worker at a time.
import type { Job as BullJob, Queue, Worker } from 'bullmq'
import { aborted, afterMs, type Clock, type Logger, messageOf, runTasks, type Task } from '../kernel/index.ts'
import { connectRedis, type Redis } from '../redis/index.ts'
import { type JobEmitter, type JobEvents, jobEmitter } from './events.ts'
import type { Job, JobHandler, JobHandlers, JobResult, JobTable } from './job.ts'

export interface JobsOptions<T extends JobTable> {
  readonly redisUrl: string
  readonly jobs: T
  /** Of every BullMQ key. */
  readonly prefix: string
  readonly clock: Clock
  readonly log: Logger
  /** How often `run` makes sure that the schedules exist, ms. Default 30,000. */
  readonly rescheduleMs?: number
  /** How long a run waits for its handlers (and for Redis) once it is told to stop, ms. Default 8,000. */
  readonly drainMs?: number
}

export interface Jobs<T extends JobTable> {
  readonly events: JobEmitter
  /** Makes the schedules in Redis equal to the table: idempotent, from any number of processes. */
  schedule(): Promise<void>
  /** Keeps the schedules and runs what is due. */
  run(handlers: JobHandlers<T>): Task
  /** For the board. */
  queues(): Promise<readonly Queue[]>
  close(): Promise<void>
}

// Finished runs are only of interest to a person who looks at the board.
const KEEP = { removeOnComplete: { count: 50 }, removeOnFail: { count: 200 } }
const RESCHEDULE_FAILED_MS = 2_000
const DEFAULT_TIMEOUT_MS = 60_000
// A run that stalled is simply run again: jobs bear repetition.
const STALLS_MAX = 1_000

export function openJobs<T extends JobTable>(options: JobsOptions<T>): Jobs<T> {
  const { redisUrl, jobs, prefix } = options
  const events = jobEmitter()
  const declared: readonly Job[] = Object.values(jobs)
  const queueNames = [...new Set(declared.map((job) => job.queue))]
  let connection: Redis | undefined
  const open = once(async () => {
    const { Queue } = await import('bullmq')
    const redis = connect(redisUrl, events)
    connection = redis
    return queueNames.map((name) => {
      const queue = new Queue(name, { connection: redis, prefix, defaultJobOptions: KEEP })
      queue.on('error', (error) => events.emit('disturbed', { where: name, reason: messageOf(error) }))
      return queue
    })
  })
  const schedule = async () => {
    for (const queue of await open()) {
      await scheduleQueue(
        queue,
        declared.filter((job) => job.queue === queue.name),
      )
    }
  }
  return {
    events,
    schedule,
    run: (handlers) => (signal) =>
      runTasks(
        [
          // Repeated, because a schedule is lost with its Redis, and a run with the worker that died before it
          // had queued the next one.
          untilAborted(keepScheduled(schedule, options, events)),
          ...queueNames.map((name) => runQueue(name, options, handlers, events)),
        ],
        signal,
      ),
    queues: open,
    async close() {
      connection?.disconnect()
      if (connection) await Promise.all((await open()).map((queue) => queue.close()))
    },
  }
}

/** A Redis that is away or full refuses a schedule for now; that must not end the runs. */
const keepScheduled =
  (
    schedule: () => Promise<void>,
    { clock, rescheduleMs = 30_000 }: Pick<JobsOptions<JobTable>, 'clock' | 'rescheduleMs'>,
    events: JobEmitter,
  ): Task =>
  async (signal) => {
    while (!signal.aborted) {
      let pauseMs = rescheduleMs
      try {
        await schedule()
      } catch (error) {
        events.emit('disturbed', { where: 'schedules', reason: messageOf(error) })
        pauseMs = Math.min(RESCHEDULE_FAILED_MS, rescheduleMs)
      }
      await clock.sleep(pauseMs, signal)
    }
  }

/** BullMQ is loaded at its first use: 27 MB that a worker without jobs need not hold. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}

const connect = (redisUrl: string, events: JobEmitter) =>
  connectRedis(redisUrl, 'jobs', {
    onError: (error) => events.emit('disturbed', { where: 'jobs', reason: messageOf(error) }),
  })

async function scheduleQueue(queue: Queue, jobs: readonly Job[]): Promise<void> {
  for (const job of jobs) {
    await queue.upsertJobScheduler(job.name, { every: job.everyMs }, { name: job.name, opts: KEEP })
  }
  const names = new Set(jobs.map((job) => job.name))
  for (const scheduler of await queue.getJobSchedulers()) {
    if (!names.has(scheduler.key)) await queue.removeJobScheduler(scheduler.key)
  }
}

function runQueue<T extends JobTable>(
  queue: string,
  options: JobsOptions<T>,
  handlers: JobHandlers<T>,
  events: JobEmitter,
): Task {
  const { clock, log, prefix, drainMs = 8_000 } = options
  const byName = new Map<string, [Job, JobHandler]>(
    Object.entries(options.jobs).map(([key, job]) => [job.name, [job, handlers[key]!]]),
  )
  return async (signal) => {
    const { Worker } = await import('bullmq')
    const connection = connect(options.redisUrl, events)
    const process = (run: BullJob) => runOnce(run, byName, clock, signal, events)
    const worker = new Worker(queue, process, {
      connection,
      prefix,
      autorun: false,
      concurrency: byName.size,
      maxStalledCount: STALLS_MAX,
      stalledInterval: 15_000,
      lockDuration: 30_000,
      ...KEEP,
    })
    watch(worker, queue, events, log)
    await Promise.race([worker.run(), aborted(signal)])
    const closed = new AbortController()
    await Promise.race([worker.close(), clock.sleep(drainMs, closed.signal)])
    closed.abort()
    // With Redis away, BullMQ retries for ever to say that a run is finished: hang up, and do not wait for an
    // `end` that ioredis never emits while it is reconnecting.
    await worker.getBackend().disconnectBlocking(false)
    connection.disconnect()
  }
}

async function runOnce(
  run: BullJob,
  byName: ReadonlyMap<string, [Job, JobHandler]>,
  clock: Clock,
  signal: AbortSignal,
  events: JobEmitter,
): Promise<JobResult> {
  const found = byName.get(run.name)
  // A job of an older or newer version of the table: the schedule that made it is removed by `schedule`.
  if (!found) return { skipped: 'no job of this name is declared' }
  const [job, handler] = found
  const timeUp = new AbortController()
  const cancel = afterMs(job.timeoutMs ?? DEFAULT_TIMEOUT_MS, () => timeUp.abort())
  const started = clock.monotonic()
  try {
    const result = await handler({ signal: AbortSignal.any([signal, timeUp.signal]), dueAt: dueAt(run) })
    events.emit('completed', { job: job.name, tookMs: clock.monotonic() - started })
    return result
  } finally {
    cancel()
  }
}

/** BullMQ keeps the scheduled time in the id only: `repeat:<scheduler>:<ms>`. */
function dueAt(run: BullJob): number {
  const last = Number(run.id?.split(':').at(-1))
  return Number.isSafeInteger(last) ? last : run.timestamp
}

function watch(worker: Worker, queue: string, events: JobEmitter, log: Logger): void {
  worker.on('failed', (run, error) => {
    const job = run?.name ?? 'unknown'
    log.error({ job, run: run?.id, err: error }, 'a scheduled job failed; it runs again at its next time')
    events.emit('failed', { job, reason: messageOf(error) } satisfies Parameters<JobEvents['failed']>[0])
  })
  worker.on('stalled', (id) => events.emit('stalled', { queue, id }))
  worker.on('error', (error) => events.emit('disturbed', { where: queue, reason: messageOf(error) }))
}

/** Ends at the abort even while the task waits for a server that is away. */
const untilAborted =
  (task: Task): Task =>
  (signal) =>
    Promise.race([task(signal), aborted(signal)])
