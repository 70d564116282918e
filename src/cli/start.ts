// `sluice start`: everything on this machine with one command. Redis, then the tables, then every line of the
// Procfile; Ctrl-C goes the same way back.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Config,
  type Environment,
  openResources,
  processEnvironment,
  type Resources,
  readConfig,
  systemClock,
} from '../kernel/index.ts'
import { checkSettings } from './check-settings.ts'
import { type ChosenRedis, chooseRedis } from './choose-redis.ts'
import { type Claim, claimFolder } from './claim-folder.ts'
import { migrateDatabase } from './database.ts'
import { readableLine } from './log-lines.ts'
import { demandPort } from './ports.ts'
import { ROOT } from './project.ts'
import { stopSignal } from './stop-signal.ts'
import { readProcfile, supervise } from './supervise.ts'
import type { Terminal } from './terminal.ts'

/** Runs until a signal or until our own Redis ends. Throws CONFIG_INVALID, ALREADY_RUNNING, PORT_IN_USE, REDIS_…. */
export async function start(terminal: Terminal): Promise<void> {
  process.chdir(ROOT)
  const from = systemClock.monotonic()
  const environment = processEnvironment(ROOT)
  const config = readConfig(environment)
  await checkSettings(config)
  const insist = new AbortController()
  const stop = stopSignal({ onSecond: () => insist.abort() })
  const resources = openResources()
  try {
    const { redis, claim } = await prepare(config, environment, resources, terminal)
    if (stop.signal.aborted) return
    const address = `http://${config.HOST === '0.0.0.0' ? '127.0.0.1' : config.HOST}:${config.PORT}`
    claim.tell({ redisUrl: redis.url, console: address })
    const seconds = ((systemClock.monotonic() - from) / 1_000).toFixed(1)
    terminal.note(`Console    ${address}  (ready in ${seconds} s; Ctrl-C stops everything)`, 'started', {
      console: address,
      redisUrl: redis.url,
    })
    await runWorkers(
      config,
      { ...environment, REDIS_URL: redis.url },
      redis,
      stop.signal,
      insist.signal,
      terminal,
    )
  } finally {
    await resources.close()
    stop.release()
  }
  terminal.note('stopped; the data stays in '.concat(config.DATA_DIR), 'stopped')
}

async function prepare(
  config: Config,
  environment: Environment,
  resources: Resources,
  terminal: Terminal,
): Promise<{ redis: ChosenRedis; claim: Claim }> {
  const note = (message: string) => terminal.note(message)
  const claim = resources.own(claimFolder(config.DATA_DIR), (held) => held.release())
  if (claim.afterCrash) note('The last run ended without a goodbye; what it held is recovered now.')
  await waitForPort(config, claim)
  const redis = await chooseRedis(config, environment, note)
  if (redis.own) resources.own(redis.own, (own) => own.stop())
  note(await migrateDatabase(config))
  return { redis, claim }
}

/** The gateway of a run that was killed needs a moment to notice: then its port is worth waiting for. */
async function waitForPort(config: Config, claim: Claim): Promise<void> {
  const end = systemClock.monotonic() + (claim.afterCrash ? config.DRAIN_MS : 0)
  for (;;) {
    try {
      return await demandPort(config.PORT, config.HOST)
    } catch (error) {
      if (systemClock.monotonic() >= end) throw error
      await systemClock.sleep(200)
    }
  }
}

async function runWorkers(
  config: Config,
  environment: Environment,
  redis: ChosenRedis,
  signal: AbortSignal,
  insist: AbortSignal,
  terminal: Terminal,
): Promise<void> {
  const processes = readProcfile(readFileSync(join(ROOT, 'Procfile'), 'utf8'))
  const width = Math.max(...Object.keys(processes).map((name) => name.length))
  const style = { width, colours: terminal.colours }
  const lost = new AbortController()
  const running = supervise(
    {
      processes,
      environment: { ...environment, PORT: String(config.PORT) },
      drainMs: config.DRAIN_MS,
      onLine: (name, line) => terminal.line(terminal.json ? line : readableLine(name, line, style)),
      onEnd: (name, restartInMs) => {
        if (restartInMs === undefined) terminal.note(`${name} ended`, 'ended', { worker: name })
        else {
          const message = `${name} ended by itself; starting it again in ${restartInMs} ms`
          terminal.note(message, 'restarting', { worker: name, restartInMs })
        }
      },
    },
    AbortSignal.any([signal, lost.signal]),
    insist,
  )
  const stopping = () =>
    terminal.note(`Stopping: each worker finishes what it holds (at most ${config.DRAIN_MS} ms)`, 'stopping')
  signal.addEventListener('abort', stopping, { once: true })
  // Without its Redis nothing here can go on; the workers are stopped before the reason is told.
  const redisDied = redis.own?.died.catch((error: unknown) => error)
  const first = await Promise.race([running, ...(redisDied ? [redisDied] : [])])
  lost.abort()
  await running
  if (first !== undefined) throw first
}
