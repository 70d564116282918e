// Runs the lines of the Procfile with the foreman package and keeps them running. Two things differ from `nf start`:
// every process gets the PORT that is set (nf counts it up), and a worker that ends is started again, because the
// others can go on without it and its start is its recovery (nf would stop them all).
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { type Clock, type Environment, systemClock } from '../kernel/index.ts'

const require = createRequire(import.meta.url)

interface ForemanProcess {
  readonly command: string
  readonly color: (text: string) => string
  readonly env: Environment
}

interface ForemanConsole {
  log(key: string, process: ForemanProcess, text: string): void
  info(key: string, process: ForemanProcess, text: string): void
  error(key: string, process: ForemanProcess, text: string): void
}

interface Foreman {
  run(key: string, process: ForemanProcess, emitter: EventEmitter): void
}

const foreman = require('foreman/lib/proc.js') as Foreman
const { Console: foremanConsole } = require('foreman/lib/console.js') as { Console: ForemanConsole }
const { procs } = require('foreman/lib/procfile.js') as { procs(text: string): Record<string, string> }

/** Name and command of each line. */
export const readProcfile = (text: string): Record<string, string> => procs(text)

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** A worker that lived this long has recovered: its next failure is a first one. */
const HEALTHY_MS = 60_000

export interface Supervised {
  readonly processes: Record<string, string>
  readonly environment: Environment
  /** Time between the request to stop and SIGKILL, ms. */
  readonly drainMs: number
  onLine(name: string, line: string): void
  onEnd(name: string, restartInMs: number | undefined): void
  readonly clock?: Clock
}

/** Resolves when the signal aborted and every process has ended; `insist` aborting ends them at once. */
export async function supervise(
  options: Supervised,
  signal: AbortSignal,
  insist: AbortSignal,
): Promise<void> {
  const output = listenToForeman(options.onLine)
  try {
    await Promise.all(
      Object.entries(options.processes).map(([name, command]) =>
        keepRunning(name, command, options, output, signal, insist),
      ),
    )
  } finally {
    output.release()
  }
}

async function keepRunning(
  name: string,
  command: string,
  { environment, drainMs, onEnd, clock = systemClock }: Supervised,
  output: ForemanOutput,
  signal: AbortSignal,
  insist: AbortSignal,
): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS
  while (!signal.aborted) {
    const from = clock.monotonic()
    const emitter = new EventEmitter()
    const ended = output.ended(name)
    // `exec` leaves no shell between: a signal reaches the worker itself.
    foreman.run(
      name,
      {
        command: `exec ${command}`,
        color: (text) => text,
        env: { ...environment, FOREMAN_WORKER_NAME: name },
      },
      emitter,
    )
    const kill = (kind: NodeJS.Signals) => emitter.emit('killall', kind)
    const stop = () => {
      kill('SIGTERM')
      void clock.sleep(drainMs, done.signal).then(() => !done.signal.aborted && kill('SIGKILL'))
    }
    const done = new AbortController()
    const end = () => kill('SIGKILL')
    signal.addEventListener('abort', stop, { once: true })
    insist.addEventListener('abort', end, { once: true })
    await ended
    done.abort()
    signal.removeEventListener('abort', stop)
    insist.removeEventListener('abort', end)
    if (signal.aborted) return onEnd(name, undefined)
    if (clock.monotonic() - from > HEALTHY_MS) pauseMs = FIRST_PAUSE_MS
    onEnd(name, pauseMs)
    await clock.sleep(pauseMs, signal)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
}

interface ForemanOutput {
  ended(name: string): Promise<void>
  release(): void
}

// foreman says everything through one console: output by `log`, the end of a process by `info` or `error`.
function listenToForeman(onLine: (name: string, line: string) => void): ForemanOutput {
  const original = { log: foremanConsole.log, info: foremanConsole.info, error: foremanConsole.error }
  const rest = new Map<string, string>()
  const waiting = new Map<string, () => void>()
  foremanConsole.log = (name, _process, text) => {
    const lines = ((rest.get(name) ?? '') + text).split('\n')
    rest.set(name, lines.pop() ?? '')
    for (const line of lines) if (line.trim() !== '') onLine(name, line)
  }
  const onEnd = (name: string) => {
    const last = rest.get(name) ?? ''
    rest.delete(name)
    if (last.trim() !== '') onLine(name, last)
    waiting.get(name)?.()
  }
  foremanConsole.info = onEnd
  foremanConsole.error = onEnd
  return {
    ended: (name) => new Promise((resolve) => waiting.set(name, resolve)),
    release: () => void Object.assign(foremanConsole, original),
  }
}
