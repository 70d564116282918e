// Every scheduled job. Its handler is handed to `jobs.run` by the worker that runs it.
import { defineJob } from '../jobs/index.ts'

/** Of every key that BullMQ keeps in Redis. Its scripts take several at once, so in a cluster all share a slot. */
export const JOB_PREFIX = '{jobs}'

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
    about:
      'Deletes inbox rows that are older than any redelivery, what is in quarantine for QUARANTINE_DAYS, memory that has ended.',
  }),
  reconcile: defineJob({
    name: 'reconcile',
    queue: 'database',
    everyMs: 60_000,
    about:
      'Recomputes cash, positions and inventory from the fills, looks for what is not booked, names each difference.',
  }),
} as const
