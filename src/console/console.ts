// The console: page, API, health, metrics and the job board, served until told to stop. It reads and never writes.
import type { Queue } from 'bullmq'
import { aborted, type Clock, type Logger, runTasks, type Task } from '../kernel/index.ts'
import type { Questions } from './answers.ts'
import { api } from './api.ts'
import { openAsked } from './ask.ts'
import { guard } from './guard.ts'
import { health } from './health.ts'
import { LIVE_DEFAULTS, type LiveOptions, live } from './live.ts'
import { metrics } from './metrics.ts'
import { page } from './page.ts'
import { queues } from './queues.ts'
import { answerFailures } from './refusals.ts'
import { listen, openServer } from './server.ts'

export interface ConsoleOptions {
  readonly host: string
  readonly port: number
  readonly questions: Questions
  /** The queues shown at /queues. */
  readonly queues: readonly Queue[]
  readonly clock: Clock
  readonly log: Logger
  readonly live?: Partial<LiveOptions>
  /** Called once it listens. */
  readonly onListening?: (url: string) => void
}

/** Rejects with PORT_IN_USE. At the abort it answers what it has begun, tells the watching pages, and closes. */
export const openConsole =
  ({
    host,
    port,
    questions,
    queues: shown,
    clock,
    log,
    live: liveOptions,
    onListening,
  }: ConsoleOptions): Task =>
  async (signal) => {
    const server = openServer()
    guard(server, host)
    answerFailures(server, log)
    const asked = openAsked(questions, clock)
    health(server, questions, asked, clock)
    api(server, questions, asked, clock)
    metrics(server, questions, asked)
    const pages = live(server, questions, asked, clock, log, { ...LIVE_DEFAULTS, ...liveOptions })
    await page(server)
    await queues(server, shown)
    try {
      await listen(server, host, port)
      onListening?.(urlOf(host, port))
      log.info({ host, port }, 'the console listens')
      await runTasks([pages.task, aborted], signal)
    } finally {
      await server.close()
    }
  }

/** The address that a person on this machine opens. */
const urlOf = (host: string, port: number): string => {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}/`
}
