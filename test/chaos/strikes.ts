// What strikes a run: processes, their connections, the servers. Which, whom and for how long comes from the seed;
// processes and servers are struck at the same time.
import { setTimeout as sleep } from 'node:timers/promises'
import { ORDERED } from './plan.ts'
import type { Member } from './processes.ts'
import type { Direction } from './proxy.ts'
import { inSync } from './servers.ts'
import type { Stage } from './stage.ts'

/** Even numbers in [0, 1) from the seed. */
export type Random = () => number

export interface Strike {
  readonly name: string
  /** Strikes of one lane follow each other, those of different lanes overlap. */
  readonly lane: 'process' | 'connection' | 'server'
  readonly weight: number
  /** Resolves when it is over and healed. */
  strike(stage: Stage, random: Random): Promise<void>
}

const WORKERS_MIN = 2
const WORKERS_MAX = 4

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!
const between = (random: Random, low: number, high: number) => low + random() * (high - low)
const directions: readonly Direction[] = ['up', 'down', 'both']

const free = (stage: Stage, role?: Member['role']): Member[] =>
  [...stage.members].filter(
    (member) => !member.busy && !member.expected && member.isAlive() && (!role || member.role === role),
  )

async function striking(
  stage: Stage,
  random: Random,
  role: Member['role'] | undefined,
  work: (member: Member) => Promise<void>,
): Promise<void> {
  const victims = free(stage, role)
  if (victims.length === 0) return
  const victim = pick(random, victims)
  victim.busy = true
  stage.note({ what: 'struck', who: victim.name, at: Date.now() })
  try {
    await work(victim)
  } finally {
    victim.busy = false
    victim.proxy.heal()
  }
}

const kill = (role: Member['role']) => (stage: Stage, random: Random) =>
  striking(stage, random, role, async (victim) => {
    victim.expected = true
    victim.child.kill('SIGKILL')
    await victim.exited
    await sleep(between(random, 0, stage.leaseMs / 2))
    await stage.replace(victim)
  })

const pause = (role: Member['role'], low: number, high: number) => (stage: Stage, random: Random) =>
  striking(stage, random, role, async (victim) => {
    victim.child.kill('SIGSTOP')
    await sleep(between(random, low, high) * stage.leaseMs)
    victim.child.kill('SIGCONT')
  })

/** For a part of a lease up to two and a half. */
const whileStruck = (stage: Stage, random: Random) => sleep(between(random, 0.2, 2.5) * stage.leaseMs)

const onConnection = (strike: (member: Member, random: Random) => void) => (stage: Stage, random: Random) =>
  striking(stage, random, undefined, async (victim) => {
    strike(victim, random)
    await whileStruck(stage, random)
  })

/**
 * The pause that only a database can stop: a worker stands between its last look and its transaction until others have
 * written for the same partition, and meanwhile nobody else takes its message, so that its effect would be a new one.
 */
export async function haltAtEffect(stage: Stage, random: Random): Promise<void> {
  await striking(stage, random, 'worker', async (victim) => {
    const halting = stage.heard(victim, 'halted', 2_000)
    victim.send({ halt: true })
    const halted = await halting
    if (!halted) {
      victim.send({ halt: false })
      // It may have stopped itself just now.
      await sleep(100)
      return void victim.child.kill('SIGCONT')
    }
    stage.refuse(halted.halted!)
    const end = performance.now() + 10 * stage.leaseMs
    while (performance.now() < end) {
      if (await stage.effects.hasLater(halted.partition!, halted.epoch!, ORDERED)) break
      await sleep(20)
    }
    const through = stage.heard(victim, 'through', 3_000)
    victim.child.kill('SIGCONT')
    await through
    stage.refuse(null)
  })
}

async function promote(stage: Stage, random: Random): Promise<void> {
  const { servers } = stage
  if (!(await inSync(servers).catch(() => false))) return
  const former = servers.master()
  const isKilled = random() < 0.5
  // Some are led to the replica before it is told that it is the master.
  const isEarly = random() < 0.3
  if (isKilled) await former.kill()
  if (isEarly) {
    for (const member of free(stage)) member.proxy.retarget(servers.replica()!.port)
    await sleep(between(random, 0, 200))
  }
  // One that is left behind goes on with the former master, and takes over everything there.
  const workers = free(stage, 'worker')
  const straggler = !isKilled && workers.length > 1 ? pick(random, workers) : undefined
  if (straggler) straggler.busy = true
  const who = { straggler: straggler?.name, isKilled, isEarly }
  stage.note({ what: 'promoting', at: Date.now(), ...who })
  await servers.promote()
  stage.retargetAll(straggler)
  await servers.attachReplica()
  if (straggler) {
    await sleep(between(random, 1.5, 4) * stage.leaseMs)
    stage.note({ what: 'straggler comes', at: Date.now() })
    straggler.proxy.retarget(servers.port())
    straggler.busy = false
  }
  // Left running it goes on as a master that nobody hears.
  if (!isKilled) await former.kill()
}

export const STRIKES: readonly Strike[] = [
  { name: 'kill a worker', lane: 'process', weight: 4, strike: kill('worker') },
  { name: 'kill a publisher', lane: 'process', weight: 2, strike: kill('publisher') },
  { name: 'stop a worker briefly', lane: 'process', weight: 1, strike: pause('worker', 0.1, 1.1) },
  { name: 'stop a worker past its lease', lane: 'process', weight: 3, strike: pause('worker', 1.2, 3) },
  { name: 'stop a publisher', lane: 'process', weight: 1, strike: pause('publisher', 0.2, 2) },
  { name: 'stop a worker before its effect', lane: 'process', weight: 2, strike: haltAtEffect },
  {
    name: 'add a worker',
    lane: 'process',
    weight: 1,
    async strike(stage) {
      if (free(stage, 'worker').length < WORKERS_MAX) await stage.startWorker()
    },
  },
  {
    name: 'remove a worker',
    lane: 'process',
    weight: 1,
    async strike(stage, random) {
      if (free(stage, 'worker').length <= WORKERS_MIN) return
      await striking(stage, random, 'worker', async (victim) => {
        victim.expected = true
        victim.child.kill('SIGTERM')
        await Promise.race([victim.exited, sleep(10_000)])
        if (victim.isAlive()) victim.child.kill('SIGKILL')
      })
    },
  },
  {
    name: 'move the clock of a worker',
    lane: 'process',
    weight: 1,
    strike: (stage, random) =>
      striking(stage, random, 'worker', async (victim) => {
        victim.send({ jumpMs: Math.round(between(random, -6, 6) * 3_600_000) })
      }),
  },
  {
    name: 'cut connections',
    lane: 'connection',
    weight: 3,
    strike: (stage, random) =>
      striking(stage, random, undefined, async ({ proxy }) => proxy.cut(random() < 0.5)),
  },
  {
    name: 'delay',
    lane: 'connection',
    weight: 1,
    strike: onConnection(({ proxy }, random) => proxy.delay(between(random, 5, 300))),
  },
  {
    name: 'deliver late',
    lane: 'connection',
    weight: 2,
    strike: onConnection(({ proxy }, random) => proxy.hold(pick(random, directions))),
  },
  {
    name: 'half-open',
    lane: 'connection',
    weight: 2,
    strike: onConnection(({ proxy }, random) => proxy.swallow(pick(random, directions))),
  },
  {
    name: 'partition a process off',
    lane: 'connection',
    weight: 2,
    strike: onConnection(({ proxy }) => {
      proxy.refuse()
      proxy.cut(true)
    }),
  },
  {
    name: 'kill Redis',
    lane: 'server',
    weight: 3,
    async strike({ servers, leaseMs }, random) {
      const master = servers.master()
      await master.kill()
      await sleep(between(random, 0, 1.5) * leaseMs)
      await master.restart()
    },
  },
  {
    name: 'freeze Redis',
    lane: 'server',
    weight: 2,
    async strike({ servers, leaseMs }, random) {
      const master = servers.master()
      master.pause()
      await sleep(between(random, 0.2, 2.5) * leaseMs)
      master.resume()
    },
  },
  {
    name: 'freeze the replica',
    lane: 'server',
    weight: 1,
    async strike({ servers, leaseMs }, random) {
      const replica = servers.replica()
      replica?.pause()
      await sleep(between(random, 0.5, 2) * leaseMs)
      replica?.resume()
    },
  },
  { name: 'promote the replica', lane: 'server', weight: 3, strike: promote },
]

/** The next strike of a lane, by weight. */
export function drawStrike(strikes: readonly Strike[], random: Random): Strike {
  let left = random() * strikes.reduce((sum, { weight }) => sum + weight, 0)
  for (const strike of strikes) {
    left -= strike.weight
    if (left < 0) return strike
  }
  return strikes.at(-1)!
}
