// A real redis-server for one test file: on a free port, with AOF and noeviction, stopped by its pid.
import { type ChildProcess, spawn } from 'node:child_process'
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

export async function startRedis(extra: readonly string[] = []): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let child = await launch(port, folder, extra)
  return {
    url,
    port,
    pid: () => child.pid!,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => end(child, 'SIGKILL'),
    async restart() {
      await end(child, 'SIGKILL')
      child = await launch(port, folder, extra)
    },
    async stop() {
      await end(child, 'SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

async function launch(port: number, folder: string, extra: readonly string[]): Promise<ChildProcess> {
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes']
  const more = [
    '--appendfsync',
    'everysec',
    '--maxmemory-policy',
    'noeviction',
    '--daemonize',
    'no',
    ...extra,
  ]
  const child = spawn('redis-server', [...args.map(String), ...more], { stdio: 'ignore' })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`redis-server cannot be started: ${error.message}`)))
  })
  // A server that outlives a killed test run would be litter.
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  await Promise.race([failed, waitUntilUp(port)])
  return child
}

async function waitUntilUp(port: number): Promise<void> {
  const client = connectRedis(`redis://127.0.0.1:${port}`, 'writer')
  try {
    await ready(client, 15_000)
  } finally {
    await closeRedis(client)
  }
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}
