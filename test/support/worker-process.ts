// One worker as a process of its own, with its log lines as objects.
import type { ChildProcess } from 'node:child_process'
import { type Ended, sluice } from './command.ts'
import { eventually } from './eventually.ts'

export interface LogLine {
  readonly level: string
  readonly name: string
  readonly msg: string
  readonly [field: string]: unknown
}

export interface WorkerProcess {
  readonly name: string
  readonly pid: number
  readonly ended: Promise<Ended>
  isOver(): boolean
  logs(): readonly LogLine[]
  /** Resolves with the line once it is logged; fails when the process ends before. */
  says(message: string, timeoutMs?: number): Promise<LogLine>
  send(signal: NodeJS.Signals): void
}

// A worker that outlives its test run would be litter.
const alive = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

export function startWorker(name: string, env: Readonly<Record<string, string>>): WorkerProcess {
  const { child, ended, said } = sluice(['worker', name], { env })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const logs = () => linesOf(said())
  alive.add(child)
  const forget = () => alive.delete(child)
  void ended.then(forget, forget)
  return {
    name,
    pid: pidOf(child),
    ended,
    isOver: hasEnded,
    logs,
    async says(message, timeoutMs = 60_000) {
      const found = await eventually(
        () => logs().find(({ msg }) => msg === message) ?? (hasEnded() ? 'over' : undefined),
        { timeoutMs, what: `${name} saying ${message}` },
      )
      if (found === 'over') throw new Error(`${name} ended without saying ${message}: ${said()}`)
      return found as LogLine
    },
    send: (signal) => void child.kill(signal),
  }
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the worker could not be started')
  return pid
}

/** The last line may be half written. */
function linesOf(text: string): LogLine[] {
  return text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return []
    try {
      return [JSON.parse(line) as LogLine]
    } catch {
      return []
    }
  })
}
