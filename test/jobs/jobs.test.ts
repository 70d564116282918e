import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { JOBS } from '../../src/catalog/index.ts'
import { defineJob, type JobHandlers, openJobs } from '../../src/jobs/index.ts'
import { openLog, systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

const log = openLog({ level: 'silent', name: 'test' })
const often = defineJob({ name: 'often', queue: 'fast', everyMs: 200, about: 'Runs often.' })
const rarely = defineJob({ name: 'rarely', queue: 'slow', everyMs: 3_600_000, about: 'Runs rarely.' })

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const open = <T extends Record<string, ReturnType<typeof defineJob>>>(
  jobs: T,
  prefix: string,
  more: { rescheduleMs?: number; drainMs?: number } = {},
) => openJobs({ redisUrl: redis.url, jobs, prefix, clock: systemClock, log, ...more })

function start(task: (signal: AbortSignal) => Promise<void>) {
  const stop = new AbortController()
  const running = task(stop.signal)
  return {
    stop: async () => {
      stop.abort()
      await running
    },
  }
}

describe('scheduled jobs', () => {
  it('runs each scheduled time once, however many processes schedule and run it', async () => {
    const dueTimes: number[] = []
    const handlers = {
      often: async ({ dueAt }: { dueAt: number }) => {
        dueTimes.push(dueAt)
        return {}
      },
    }
    const three = [1, 2, 3].map(() => open({ often }, 'once', { rescheduleMs: 100 }))
    const tasks = three.map((jobs) => start(jobs.run(handlers)))
    await eventually(() => dueTimes.length >= 8)
    await Promise.all(tasks.map((task) => task.stop()))
    await Promise.all(three.map((jobs) => jobs.close()))
    expect(new Set(dueTimes).size).toBe(dueTimes.length)
    const gaps = dueTimes.slice(1).map((time, i) => (time - dueTimes[i]!) % often.everyMs)
    expect(gaps.every((gap) => gap === 0)).toBe(true)
  })

  it('does not run a rare job again because it was scheduled again', async () => {
    let runs = 0
    const jobs = open({ rarely }, 'rare', { rescheduleMs: 20 })
    const task = start(
      jobs.run({
        rarely: async () => {
          runs += 1
          return {}
        },
      }),
    )
    await eventually(() => runs > 0)
    for (let again = 0; again < 20; again += 1) await jobs.schedule()
    await task.stop()
    await jobs.close()
    expect(runs).toBe(1)
  })

  it('heals a schedule that Redis lost', async () => {
    let runs = 0
    const jobs = open({ often }, 'healed', { rescheduleMs: 100 })
    const handlers = {
      often: async () => {
        runs += 1
        return {}
      },
    }
    const task = start(jobs.run(handlers))
    await eventually(() => runs > 1)
    const client = connectRedis(redis.url, 'jobs')
    await client.flushall()
    await closeRedis(client)
    const seen = runs
    await eventually(() => runs > seen + 2)
    await task.stop()
    await jobs.close()
  })

  it('removes the schedule of a job that is no longer declared', async () => {
    const old = open({ often: { ...often, queue: 'slow' }, rarely }, 'removed')
    await old.schedule()
    await old.close()
    const now = open({ rarely }, 'removed')
    await now.schedule()
    const schedulers = await (await now.queues())[0]!.getJobSchedulers()
    await now.close()
    expect(schedulers.map((scheduler) => scheduler.key)).toEqual(['rarely'])
  })

  it('tells of a run that failed and goes on with the next', async () => {
    let runs = 0
    const failures: string[] = []
    const jobs = open({ often }, 'failing')
    jobs.events.on('failed', ({ reason }) => failures.push(reason))
    const task = start(
      jobs.run({
        often: async () => {
          runs += 1
          throw new Error(`run ${runs} failed`)
        },
      }),
    )
    await eventually(() => failures.length >= 2)
    await task.stop()
    await jobs.close()
    expect(failures.slice(0, 2)).toEqual(['run 1 failed', 'run 2 failed'])
  })

  it('aborts the handler of a run that takes too long', async () => {
    let aborted = false
    const slow = defineJob({ ...often, timeoutMs: 50 })
    const jobs = open({ slow }, 'slow')
    const task = start(
      jobs.run({
        slow: async ({ signal }) => {
          await systemClock.sleep(60_000, signal)
          aborted = signal.aborted
          return {}
        },
      }),
    )
    await eventually(() => aborted)
    await task.stop()
    await jobs.close()
  })

  it('lets a run finish when it is told to stop, and starts no other', async () => {
    const seen: string[] = []
    const jobs = open({ often }, 'drained')
    const task = start(
      jobs.run({
        often: async ({ signal }) => {
          seen.push('started')
          await systemClock.sleep(60_000, signal)
          seen.push('finished')
          return {}
        },
      }),
    )
    await eventually(() => seen.length === 1)
    await task.stop()
    const counts = await (await jobs.queues())[0]!.getJobCounts('active', 'completed')
    await jobs.close()
    expect(seen).toEqual(['started', 'finished'])
    expect(counts).toEqual({ active: 0, completed: 1 })
  })

  it('keeps a bounded number of finished runs', async () => {
    let runs = 0
    const quick = defineJob({ ...often, everyMs: 10 })
    const jobs = open({ quick }, 'bounded')
    const task = start(
      jobs.run({
        quick: async () => {
          runs += 1
          return {}
        },
      }),
    )
    await eventually(() => runs > 55)
    await task.stop()
    const { completed } = await (await jobs.queues())[0]!.getJobCounts('completed')
    await jobs.close()
    expect(completed).toBeLessThanOrEqual(50)
  })

  it('stops within its drain time although Redis is gone', async () => {
    const own = await startRedis()
    let runs = 0
    const jobs = openJobs({
      redisUrl: own.url,
      jobs: { often },
      prefix: 'gone',
      clock: systemClock,
      log,
      drainMs: 300,
    })
    const task = start(
      jobs.run({
        often: async () => {
          runs += 1
          return {}
        },
      }),
    )
    await eventually(() => runs > 0)
    await own.kill()
    await task.stop()
    await jobs.close()
    await own.stop()
  })

  it('has a handler for every declared job, or does not compile', () => {
    const handler = async () => ({})
    // @ts-expect-error `reconcile` is missing
    const incomplete: JobHandlers<typeof JOBS> = { trim: handler, retention: handler }
    expect(Object.keys(incomplete)).toHaveLength(Object.keys(JOBS).length - 1)
  })

  it('names each job and schedules it under that name once', () => {
    for (const [key, job] of Object.entries(JOBS)) expect(job.name).toBe(key)
  })
})
