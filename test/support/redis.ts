// A real redis-server for one test file: on a free port, with AOF and noeviction, stopped by its pid. The program is
// the one on the PATH, or what TEST_REDIS_SERVER names: so the same tests run with other versions.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { closeRedis, connectRedis, ready } from '../../src/redis/index.ts'

export interface TestRedis {
  readonly url: string
  readonly port: number
  pid(): number
  /** SIGSTOP: frozen, connections stay open. */
  pause(): void
  resume(): void
  /** SIGKILL without a word; the data folder stays. */
  kill(): Promise<void>
  /** Starts again on the same port from the same data. */
  restart(): Promise<void>
  /** Ends the server and removes its data. */
  stop(): Promise<void>
}

const REDIS_PROGRAM = process.env['TEST_REDIS_SERVER'] || 'redis-server'

/** @param reach a cluster's server listens that much higher as well. */
export async function startRedis(extra: readonly string[] = [], reach = 0): Promise<TestRedis> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(await freePort(reach), extra)
    } catch (error) {
      // Somebody else took the port in the meantime.
      if (attempt === 3) throw error
    }
  }
}

async function startOn(port: number, extra: readonly string[]): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-redis-'))
  const url = `redis://127.0.0.1:${port}`
  const remove = () => rm(folder, { recursive: true, force: true })
  let child = await launch(port, folder, extra).catch(async (error: unknown) => {
    await remove()
    throw error
  })
  return {
    url,
    port,
    pid: () => child.pid!,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => endProgram(child, 'SIGKILL'),
    async restart() {
      await endProgram(child, 'SIGKILL')
      child = await launch(port, folder, extra)
    },
    async stop() {
      await endProgram(child, 'SIGKILL')
      await remove()
    },
  }
}

/**
 * Below the ports that the system gives to outgoing connections: one of those would take the port while its server is
 * away.
 */
export async function freePort(reach = 0): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 22_000)
    if ((await isFree(port)) && (await isFree(port + reach))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function launch(port: number, folder: string, extra: readonly string[]): Promise<ChildProcess> {
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes']
  const more = ['--appendfsync', 'always', '--maxmemory-policy', 'noeviction', '--daemonize', 'no', ...extra]
  return launchProgram(port, [...args.map(String), ...more])
}

/** A server that outlives a killed test run would be litter. */
const running = new Set<ChildProcess>()
const killAll = () => {
  for (const child of running) child.kill('SIGKILL')
}
/** How vitest ends a process that failed; no `exit` would follow. Who listens as well ends in its own way. */
const endNow = () => {
  if (process.listenerCount('SIGTERM') > 0) return
  killAll()
  process.exit(143)
}
let isWatched = false

/** Starts the program and waits until it answers; it does not outlive this process. */
export async function launchProgram(port: number, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(REDIS_PROGRAM, args, { stdio: 'ignore' })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`${REDIS_PROGRAM} cannot be started: ${error.message}`)))
    child.once('exit', (code) =>
      reject(new Error(`${REDIS_PROGRAM} on port ${port} ended (${code}): ${args}`)),
    )
  })
  if (!isWatched) {
    isWatched = true
    process.once('exit', killAll).once('SIGTERM', endNow)
  }
  running.add(child)
  child.once('exit', () => running.delete(child))
  const client = connectRedis(`redis://127.0.0.1:${port}`, 'writer')
  try {
    await Promise.race([failed, ready(client, 15_000)])
    // On a port that was taken another server answers while this one ends.
    const info = await client.info('server')
    if (!info.includes(`process_id:${child.pid}\r`)) throw new Error(`another server listens on ${port}`)
    return child
  } finally {
    await closeRedis(client)
  }
}

export function endProgram(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}
