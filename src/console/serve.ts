// Puts the routes on a server, listens, and closes it.
import { aborted, repeat, runTasks } from '../kernel/index.ts'
import { admin } from './admin.ts'
import { api } from './api.ts'
import { openAsked } from './ask.ts'
import { changes, openPost } from './changes.ts'
import type { ConsoleOptions } from './console.ts'
import { funding } from './funding.ts'
import { guard } from './guard.ts'
import { health } from './health.ts'
import { history } from './history.ts'
import { LIVE_DEFAULTS, live } from './live.ts'
import { metrics } from './metrics.ts'
import { page } from './page.ts'
import { queues } from './queues.ts'
import { answerFailures } from './refusals.ts'
import { listen, openServer } from './server.ts'
import { openThrottle } from './throttle.ts'

const SAMPLE_MS = 2_000

export async function serve(options: ConsoleOptions, signal: AbortSignal): Promise<void> {
  const { host, port, questions, clock, log, token = '' } = options
  const server = openServer()
  guard(server, { host, token, log })
  answerFailures(server, log)
  const asked = openAsked(questions, clock)
  health(server, questions, asked, clock)
  api(server, questions, asked, clock)
  const throttle = openThrottle(clock)
  history(server, options.history, { clock, throttle })
  funding(server, questions, { clock, throttle: { preHandler: throttle.before() } })
  const post = openPost(server, clock, log)
  changes(post, options.changes)
  admin(server, options.files, { clock, asked, post, throttle: { preHandler: throttle.before() } })
  metrics(server, questions, asked)
  const pages = live(server, questions, asked, clock, log, { ...LIVE_DEFAULTS, ...options.live })
  await page(server)
  queues(server, options)
  try {
    await listen(server, host, port)
    log.info({ host, port }, 'the console listens')
    options.onListening?.(urlOf(host, port))
    const sample = (stop: AbortSignal) => Promise.race([asked.sample(), aborted(stop)])
    await runTasks([pages.task, repeat(SAMPLE_MS, clock, sample)], signal)
  } finally {
    await server.close()
  }
}

/** The address that a person on this machine opens. */
function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}/`
}
