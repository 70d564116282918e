// The struck processes: each has a proxy of its own to Redis, says by IPC what it does, and is replaced when it dies.
import { type ChildProcess, fork } from 'node:child_process'
import { isAbsolute } from 'node:path'
import type { DatabaseOptions } from '../../src/db/index.ts'
import type { Plan } from './plan.ts'
import { openProxy, type RedisProxy } from './proxy.ts'

export const FAULTS = [
  'ack before effect',
  'no inbox',
  'no epoch check',
  'trim too far',
  'resend without id',
] as const
export type Fault = (typeof FAULTS)[number]

interface Shared {
  readonly url: string
  readonly plan: Plan
  readonly replicas: number
  readonly fault: Fault | undefined
}

export interface WorkerOptions extends Shared {
  readonly name: string
  readonly leaseMs: number
  readonly database: Omit<DatabaseOptions, 'clock' | 'log'>
  /** The message that is not taken for now. */
  readonly refused: number | null
}

export interface PublisherOptions extends Shared {
  readonly share: number
  readonly from: number
  /** 0: as fast as it can. */
  readonly perSecond: number
}

export type ToWorker = { halt: boolean } | { refuse: number | null } | { jumpMs: number }

export interface Said {
  readonly halted?: number
  readonly partition?: number
  readonly epoch?: number
  readonly through?: number
  readonly confirmed?: number
  readonly finished?: boolean
  readonly repeated?: number
  readonly undocumented?: string
  readonly lost?: string
  readonly fenced?: boolean
  readonly failed?: string
  /** What its bus said of a partition, for whoever must find out later what led to an offence. */
  readonly noted?: Readonly<Record<string, unknown>>
}

export interface Member {
  readonly name: string
  readonly role: 'worker' | 'publisher'
  readonly proxy: RedisProxy
  readonly child: ChildProcess
  readonly exited: Promise<void>
  isAlive(): boolean
  /** Being struck; nothing else strikes it meanwhile. */
  busy: boolean
  /** Its end is wanted: killed, or told to go. */
  expected: boolean
  send(message: ToWorker): void
}

interface Start {
  readonly name: string
  readonly role: Member['role']
  /** Of the Redis server now. */
  readonly port: number
  readonly options: (url: string) => WorkerOptions | PublisherOptions
  readonly onSaid: (said: Said, member: Member) => void
  readonly onExit: (member: Member, how: string) => void
}

export async function startMember({ name, role, port, options, onSaid, onExit }: Start): Promise<Member> {
  const proxy = await openProxy(port)
  const child = fork(
    new URL(`./${role}.ts`, import.meta.url).pathname,
    [JSON.stringify(options(proxy.url))],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2'],
    },
  )
  const killIt = () => void child.kill('SIGKILL')
  process.once('exit', killIt)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const isAlive = () => child.exitCode === null && child.signalCode === null
  const member: Member = {
    ...{ name, role, proxy, child, exited, isAlive, busy: false, expected: false },
    send: (message) => {
      if (child.connected) child.send(message, () => undefined)
    },
  }
  child.on('message', (said: Said) => onSaid(said, member))
  child.once('exit', (code, signal) => {
    process.off('exit', killIt)
    void proxy.stop()
    onExit(member, signal ?? `code ${code}`)
  })
  return member
}

/** A child opens the same database. */
export const databaseOf = ({ driver, path, url, pool }: DatabaseOptions): WorkerOptions['database'] => {
  if (path !== undefined && !isAbsolute(path)) throw new Error(`${path} is not absolute`)
  return { driver, ...(path && { path }), ...(url && { url }), ...(pool && { pool }) }
}
