export { type JobEmitter, type JobEvents, jobEmitter } from './events.ts'
export {
  defineJob,
  type Job,
  type JobContext,
  type JobHandler,
  type JobHandlers,
  type JobResult,
  type JobTable,
} from './job.ts'
export { type Jobs, type JobsOptions, openJobs } from './jobs.ts'
