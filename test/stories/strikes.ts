// Strikes workers at random moments: kill -9, or a pause that outlives the lease, with a replacement started at once.
// Everything random comes from one printed seed; SLUICE_SEED repeats it.
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/venues/simulation/random.ts'
import type { System } from '../support/system.ts'
import type { WorkerProcess } from '../support/worker-process.ts'

export const LEASE_MS = 800

/** From SLUICE_SEED, else a new one; printed, so that a failure can be repeated. */
export function strikeSeed(story: string): number {
  const given = process.env['SLUICE_SEED']
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  process.stderr.write(`${story}: SLUICE_SEED=${seed}\n`)
  return seed
}

export interface StrikeOptions {
  readonly seed: number
  readonly times: number
  /** Kinds of workers that are struck. */
  readonly kinds: readonly string[]
}

/** One line for each strike, `kill executor` or `pause detector`. */
export async function strike(system: System, { seed, times, kinds }: StrikeOptions): Promise<string[]> {
  const random = seededRandom(seed).uniform
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const done: string[] = []
  for (let i = 0; i < times; i += 1) {
    await sleep(200 + random() * 600)
    const kind = pick(kinds)
    const isPause = random() < 0.25
    const alive = system.running().filter(({ name }) => name === kind)
    // Those that work already: a process that dies before it begins proves little.
    const working = alive.filter((worker) => worker.logs().some(({ msg }) => msg === `${kind} started`))
    const victim = pick(working.length > 0 ? working : alive)
    done.push(`${isPause ? 'pause' : 'kill'} ${kind}`)
    if (isPause) await pause(system, victim)
    else {
      victim.send('SIGKILL')
      system.start(kind)
    }
  }
  return done
}

/** It wakes up long after another has taken over what it held, goes on for a moment, and is told to go. */
async function pause(system: System, victim: WorkerProcess): Promise<void> {
  victim.send('SIGSTOP')
  system.start(victim.name)
  await sleep(LEASE_MS * 2)
  victim.send('SIGCONT')
  await sleep(300)
  victim.send('SIGTERM')
}
