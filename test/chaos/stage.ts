// What strikes act on: the processes and servers of a run, and who replaces whom.
import type { DatabaseOptions } from '../../src/db/index.ts'
import type { Checker } from './checker.ts'
import type { Effects } from './effects-table.ts'
import type { Plan } from './plan.ts'
import {
  databaseOf,
  type Fault,
  type Member,
  type PublisherOptions,
  type Said,
  startMember,
  type WorkerOptions,
} from './processes.ts'
import type { RedisProxy } from './proxy.ts'
import type { Servers } from './servers.ts'

export interface Stage {
  readonly plan: Plan
  readonly leaseMs: number
  readonly servers: Servers
  readonly effects: Effects
  readonly members: ReadonlySet<Member>
  readonly tally: Tally
  /** Writes into the journal of the run. */
  readonly note: (line: Readonly<Record<string, unknown>>) => void
  startWorker(): Promise<Member>
  startPublishers(): Promise<void>
  /** Starts whoever should run and does not. */
  replace(member: Member): Promise<void>
  /** No worker takes this message until it is told again with null. */
  refuse(i: number | null): void
  /** The next word of a member with this property, or undefined after the time. */
  heard(member: Member, what: keyof Said, withinMs: number): Promise<Said | undefined>
  /** Everybody's next connection leads to the master of now; the present ones end. */
  retargetAll(except?: Member): void
  /** How many messages every publisher knows to be confirmed. */
  confirmed(): number
  isPublished(): boolean
  /** Ends the workers in order; publishers that still run are told to stop. */
  dismiss(): Promise<void>
  killAll(): Promise<void>
}

/** What was seen on the way. */
export interface Tally {
  repeats: number
  fenced: number
  losses: number
  readonly said: Set<string>
}

export interface StageOptions {
  readonly plan: Plan
  readonly leaseMs: number
  readonly replicas: number
  readonly perSecond: number
  readonly fault: Fault | undefined
  readonly database: DatabaseOptions
  readonly servers: Servers
  readonly effects: Effects
  readonly checker: Checker
  /** The coordinator's own way to Redis. */
  readonly own: RedisProxy
  readonly note: (line: Readonly<Record<string, unknown>>) => void
}

/** A worker that is told to go finishes what it holds; longer than this it hangs. */
const DRAIN_MS = 20_000

export function openStage(options: StageOptions): Stage {
  const { plan, leaseMs, replicas, fault, servers, effects, checker, own, note } = options
  const members = new Set<Member>()
  const tally: Tally = { repeats: 0, fenced: 0, losses: 0, said: new Set() }
  const listeners = new Set<(said: Said, member: Member) => void>()
  /** For each publisher: everything of its share below this is confirmed. */
  const confirmed = Array.from({ length: plan.publishers }, () => 0)
  let refused: number | null = null
  let started = 0
  const shared = { plan, replicas, fault }

  const onSaid = (said: Said, member: Member) => {
    if (said.repeated !== undefined) tally.repeats++
    if (said.fenced) tally.fenced++
    if (said.noted) note({ who: member.name, ...said.noted })
    if (said.lost) {
      tally.losses++
      tally.said.add(`lost ${said.lost}`)
    }
    if (said.failed) checker.offend('ended', `${member.name} gave up: ${said.failed}`)
    if (said.undocumented) checker.offend('refused', `${member.name}: ${said.undocumented}`)
    for (const listener of listeners) listener(said, member)
  }
  const onExit = (member: Member, how: string) => {
    members.delete(member)
    note({ who: member.name, what: 'ended', at: Date.now(), how })
    if (member.expected) return
    checker.offend('ended', `${member.name} ended by itself: ${how}`)
    void start(member.role, shareOf(member))
  }
  const shareOf = ({ name }: Member) => Number(/^publisher (\d+)/.exec(name)?.[1] ?? 0)

  async function start(role: Member['role'], share: number): Promise<Member> {
    const number = started++
    const name = role === 'worker' ? `worker ${number}` : `publisher ${share} (${number})`
    const optionsFor = (url: string): WorkerOptions | PublisherOptions =>
      role === 'worker'
        ? { ...shared, url, name, leaseMs, refused, database: databaseOf(options.database) }
        : { ...shared, url, share, from: confirmed[share]!, perSecond: options.perSecond }
    const port = servers.port()
    const member = await startMember({
      ...{ name, role, port, options: optionsFor, onExit },
      onSaid(said, from) {
        if (said.confirmed !== undefined) confirmed[share] = said.confirmed
        if (said.finished !== undefined) from.expected = true
        onSaid(said, from)
      },
    })
    members.add(member)
    // A replica was promoted while it was being started.
    if (port !== servers.port()) member.proxy.retarget(servers.port())
    return member
  }

  const isDone = (share: number) => confirmed[share]! >= plan.messages
  return {
    ...{ plan, leaseMs, servers, effects, members, tally, note },
    startWorker: () => start('worker', 0),
    async startPublishers() {
      for (let share = 0; share < plan.publishers; share++) await start('publisher', share)
    },
    async replace(member) {
      if (member.role === 'worker' || !isDone(shareOf(member))) await start(member.role, shareOf(member))
    },
    refuse(i) {
      refused = i
      for (const member of members) if (member.role === 'worker') member.send({ refuse: i })
    },
    heard: (member, what, withinMs) =>
      new Promise((resolve) => {
        const end = (said?: Said) => {
          clearTimeout(timer)
          listeners.delete(listener)
          resolve(said)
        }
        const listener = (said: Said, from: Member) => {
          if (from === member && said[what] !== undefined) end(said)
        }
        const timer = setTimeout(end, withinMs)
        listeners.add(listener)
        member.exited.then(() => end())
      }),
    retargetAll(except) {
      for (const member of members) if (member !== except) member.proxy.retarget(servers.port())
      own.retarget(servers.port())
    },
    confirmed: () => Math.min(...confirmed),
    isPublished: () => confirmed.every((_, share) => isDone(share)),
    async dismiss() {
      await Promise.all(
        [...members].map(async (member) => {
          member.expected = true
          member.child.kill('SIGTERM')
          const late = setTimeout(() => {
            checker.offend('ended', `${member.name} did not go within ${DRAIN_MS} ms`)
            member.child.kill('SIGKILL')
          }, DRAIN_MS)
          await member.exited
          clearTimeout(late)
        }),
      )
    },
    async killAll() {
      await Promise.all(
        [...members].map((member) => {
          member.expected = true
          member.child.kill('SIGKILL')
          return member.exited
        }),
      )
    },
  }
}
