// A job is declared once, in the catalog; who runs it hands in a handler for each. A handler is called again after
// a crash and by two processes at once when one was paused past its lock, so its effect must bear repetition, and
// nothing that moves money is a job.

export interface Job {
  readonly name: string
  /** Jobs of one queue share a connection and run side by side. */
  readonly queue: string
  readonly everyMs: number
  readonly about: string
  /** The handler's signal aborts after this time, ms. Default 60,000. */
  readonly timeoutMs?: number
}

export type JobTable = Readonly<Record<string, Job>>

export const defineJob = (job: Job): Job => job

export interface JobContext {
  /** Aborts when the worker drains or the job's time is up. */
  readonly signal: AbortSignal
  /** The time this run was scheduled for, ms UTC: the same in every repetition of the run. */
  readonly dueAt: number
}

/** What it did, as fields for the board and the log. */
export type JobResult = Readonly<Record<string, number | string>>
export type JobHandler = (context: JobContext) => Promise<JobResult>

/** One handler for each declared job: a missing one does not compile. */
export type JobHandlers<T extends JobTable> = { readonly [K in keyof T]: JobHandler }
