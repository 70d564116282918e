// Every scheduled job. Its handler is handed to `jobs.run` by the worker that runs it.
import { defineJob } from '../jobs/index.ts'

/** Of every key that BullMQ keeps in Redis. */
export const JOB_PREFIX = 'jobs'

export const JOBS = {
  trim: defineJob({
    name: 'trim',
    queue: 'streams',
    everyMs: 5_000,
    about: 'Removes from every stream what all its groups have acknowledged and what is past its retention.',
  }),
  retention: defineJob({
    name: 'retention',
    queue: 'database',
    everyMs: 600_000,
    about: 'Deletes inbox rows older than any redelivery, and outbox rows that were published.',
  }),
  equity: defineJob({
    name: 'equity',
    queue: 'database',
    everyMs: 10_000,
    about: 'Writes one point of the equity curve; the time it was scheduled for is its key.',
  }),
  warm: defineJob({
    name: 'warm',
    queue: 'views',
    everyMs: 15_000,
    about: 'Loads the views that the console shows before someone asks for them.',
  }),
} as const
