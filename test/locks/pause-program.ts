// One program in four versions: it executes a job unless that is done, under a lock of ours with its fence, the same
// without the fence (the planted fault), a lock of bare redlock, or as a job of BullMQ.
import { type Job, Worker } from 'bullmq'
import Redlock from 'redlock'
import { lockNames } from '../../src/catalog/index.ts'
import type { Database, Tx } from '../../src/db/index.ts'
import { isSluiceError, systemClock } from '../../src/kernel/index.ts'
import { checkFence, openLocks } from '../../src/locks/index.ts'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'
import { isDone, writeEffect } from './pause-effects.ts'

export const MODES = ['ours', 'unfenced', 'redlock', 'bullmq'] as const
export type Mode = (typeof MODES)[number]

/** `left`: it did not execute the job, which is another's or has to be tried again. */
export type Outcome = 'executed' | 'done before' | 'left'

export interface Program {
  /** Tries once. `step` is called `STEPS` times on the way through the critical section. */
  run(job: string, step: () => void): Promise<Outcome>
  close(): Promise<void>
}

export interface ProgramOptions {
  readonly mode: Mode
  readonly url: string
  readonly database: Database
  readonly who: string
  readonly ttlMs: number
}

// One before the token, six of work, one after the last look at the lock, two inside of the transaction, two behind it.
export const STEPS = 12
const WORK_STEPS = 6
/** The one after the last look at the lock: only the transaction itself can still refuse the effect. */
export const STEP_AFTER_LAST_LOOK = 2 + WORK_STEPS
/** A holder that stands still there keeps the database from its rival. */
export const isInTransaction = (step: number): boolean =>
  step === STEP_AFTER_LAST_LOOK + 1 || step === STEP_AFTER_LAST_LOOK + 2

export async function openProgram(options: ProgramOptions): Promise<Program> {
  if (options.mode === 'redlock') return openRedlockProgram(options)
  if (options.mode === 'bullmq') return openBullProgram(options)
  return openOwnProgram(options)
}

interface Section {
  readonly job: string
  readonly step: () => void
  /** The last look before the effect. */
  readonly isLost: () => boolean
  readonly check?: (tx: Tx) => Promise<void>
}

/** The critical section, the same for all. */
async function execute({ database, who }: ProgramOptions, section: Section): Promise<Outcome> {
  const { job, step, isLost, check } = section
  if (await isDone(database, job)) return 'done before'
  for (let n = 0; n < WORK_STEPS; n++) {
    step()
    await systemClock.sleep(1)
  }
  if (isLost()) return 'left'
  step()
  await database.write(async (tx) => {
    await check?.(tx)
    step()
    await writeEffect(tx, job, who)
    step()
  })
  step()
  await systemClock.sleep(1)
  step()
  return 'executed'
}

function openOwnProgram(options: ProgramOptions): Program {
  const { mode, url, database, ttlMs } = options
  let beforeToken = () => {}
  const issuing: Database = {
    ...database,
    write(work) {
      beforeToken()
      return database.write(work)
    },
  }
  const locks = openLocks({ urls: [url], database: issuing, clock: systemClock, names: lockNames })
  return {
    async run(job, step) {
      beforeToken = step
      try {
        const result = await locks.hold(
          job,
          (held) =>
            execute(options, {
              job,
              step,
              isLost: () => held.signal.aborted || held.remainingMs() <= 0,
              ...(mode === 'ours' && { check: (tx: Tx) => checkFence(tx, held) }),
            }),
          { ttlMs, waitMs: 30_000 },
        )
        return result.held ? result.value : 'left'
      } catch (error) {
        if (isSluiceError(error, 'FENCED')) return 'left'
        throw error
      }
    },
    close: () => locks.close(),
  }
}

async function openRedlockProgram(options: ProgramOptions): Promise<Program> {
  const client = connectRedis(options.url, 'lock', { name: 'pauses' })
  await ready(client)
  const servers = [client] as unknown as Redlock.CompatibleRedisClient[]
  const redlock = new Redlock(servers, { retryCount: 10_000, retryDelay: 20, retryJitter: 10 })
  return {
    async run(job, step) {
      const lock = await redlock.lock(lockNames.key(job), options.ttlMs)
      step()
      const outcome = await execute(options, { job, step, isLost: () => lock.expiration <= Date.now() })
      // It refuses when the key is not ours any more.
      await lock.unlock().catch(() => {})
      return outcome
    },
    close: () => closeRedis(client),
  }
}

/** Each job has a queue of its own, so that who wants to execute it can start a worker for it. */
async function openBullProgram(options: ProgramOptions): Promise<Program> {
  const { url, ttlMs } = options
  const connection = connectRedis(url, 'jobs')
  return {
    async run(job, step) {
      const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
      const process = async (_: Job) => {
        step()
        await execute(options, { job, step, isLost: () => false }).then(resolve, reject)
      }
      const worker = new Worker(job, process, {
        connection: connection as never,
        lockDuration: ttlMs,
        stalledInterval: ttlMs,
        maxStalledCount: 1_000,
      })
      worker.on('error', () => {})
      try {
        return await promise
      } finally {
        await worker.close(true)
      }
    },
    close: () => closeRedis(connection),
  }
}
