// Stops a holder at seeded points of its critical section for ten times the life of its lock, lets a rival take over
// meanwhile, and counts how often each job was executed.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import type { Database } from '../../src/db/index.ts'
import { deriveId, systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { createEffects, effectsOf, openEffects } from './pause-effects.ts'
import { isInTransaction, type Mode, openProgram, type Program, STEPS } from './pause-program.ts'
import type { HolderWord } from './pausing-holder.ts'

export interface PausesOptions {
  readonly mode: Mode
  readonly url: string
  readonly points: number
  /** How many holders at the same time. */
  readonly lanes: number
  readonly ttlMs: number
  readonly seed: string
  /** Always this step, instead of a random one. */
  readonly stopAt?: number
}

export interface Verdict {
  readonly points: number
  /** Executed more than once. */
  readonly doubles: number
  /** Never executed. */
  readonly missing: number
  /** Executed by the rival: the others the holder had finished, or kept from the rival until it went on. */
  readonly overtaken: number
}

interface Lane {
  readonly child: ChildProcess
  readonly words: HolderWord[]
  readonly rival: Program
  readonly database: Database
}

/** Every step once in each STEPS points, in an order that is the same for the same seed on any machine. */
function stepOf(seed: string, point: number): number {
  const block = Math.floor(point / STEPS)
  const rank = new Map(Array.from({ length: STEPS }, (_, n) => [n + 1, deriveId(seed, block, n)]))
  const steps = [...rank.keys()].sort((a, b) => (rank.get(a)! < rank.get(b)! ? -1 : 1))
  return steps[point % STEPS]!
}

export async function stopHolders(options: PausesOptions): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pauses-'))
  const verdict = { points: 0, doubles: 0, missing: 0, overtaken: 0 }
  const lane = async (number: number) => {
    const opened = await openLane(options, join(folder, `${number}.db`))
    try {
      for (let point = number; point < options.points; point += options.lanes) {
        const who = await stopOnce(options, opened, point)
        verdict.points++
        if (who.length > 1) verdict.doubles++
        if (who.length === 0) verdict.missing++
        if (who.includes('rival')) verdict.overtaken++
      }
    } finally {
      opened.child.kill('SIGKILL')
      await opened.rival.close()
      await opened.database.close()
    }
  }
  try {
    await Promise.all(Array.from({ length: options.lanes }, (_, number) => lane(number)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return verdict
}

async function openLane({ mode, url, ttlMs }: PausesOptions, path: string): Promise<Lane> {
  await createEffects(path)
  const database = openEffects(path)
  const rival = await openProgram({ mode, url, database, who: 'rival', ttlMs })
  const place = { REDIS: url, EFFECTS: path, MODE: mode, TTL_MS: String(ttlMs) }
  const child = fork(join(import.meta.dirname, 'pausing-holder.ts'), { env: { ...process.env, ...place } })
  const words: HolderWord[] = []
  child.on('message', (word) => words.push(word as HolderWord))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  void once(child, 'exit').then(() => process.off('exit', kill))
  await eventually(() => words.length > 0, { what: 'a holder that is ready' })
  return { child, words, rival, database }
}

/** Answers who executed the job. A holder that was refused before it came to the point is asked again. */
async function stopOnce(options: PausesOptions, lane: Lane, point: number): Promise<string[]> {
  const stopAt = options.stopAt ?? stepOf(options.seed, point)
  for (let attempt = 0; ; attempt++) {
    const job = `pause-${options.mode}-${options.seed}-${point}-${attempt}`
    if (options.mode === 'bullmq') await addJob(options.url, job)
    lane.child.send({ job, stopAt })
    const said = () => lane.words.filter((word) => word.says !== 'ready' && word.job === job)
    await eventually(() => said().length > 0, { what: `the holder at step ${stopAt}` })
    if (said()[0]!.says !== 'stops') continue
    const rival = takeOver(lane.rival, job)
    await systemClock.sleep(10 * options.ttlMs)
    // On a busy machine the rival may need longer, and the holder stands still until it is done.
    if (!isInTransaction(stopAt)) await rival
    lane.child.kill('SIGCONT')
    await eventually(() => said().length > 1, { what: `the end of the holder after step ${stopAt}` })
    await rival
    return effectsOf(lane.database, job)
  }
}

/** Tries until the job is executed. */
async function takeOver(rival: Program, job: string): Promise<void> {
  while ((await rival.run(job, () => {})) === 'left');
}

async function addJob(url: string, job: string): Promise<void> {
  const connection = connectRedis(url, 'jobs')
  const queue = new Queue(job, { connection: connection as never })
  await queue.add('job', {})
  await queue.close()
  await closeRedis(connection)
}
