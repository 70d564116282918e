// A redis-server of our own, for who has none set: AOF, noeviction, on a free port, its data under DATA_DIR. It lives
// exactly as long as `sluice start`. Should that be killed with -9, a guard stops the server after the workers had
// their time to drain, and whatever is left of an earlier run is stopped before a new server opens the same files.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Clock, makeFolder, SluiceError, systemClock } from '../kernel/index.ts'
import { connectRedis, ready } from '../redis/index.ts'
import { inspectRedis } from './inspect-redis.ts'
import { freePort } from './ports.ts'

/** Loading a large AOF takes its time (about 1 GB in 10 s). */
const START_MS = 60_000
const STOP_MS = 10_000

export interface OwnRedis {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Rejects when the server ends without being told to. */
  readonly died: Promise<never>
  stop(): Promise<void>
}

interface OwnRedisOptions {
  readonly program: string
  readonly dataDir: string
  /** How long workers may still need the server after `sluice start` is gone, ms. */
  readonly graceMs: number
  readonly clock?: Clock
}

export async function startOwnRedis(options: OwnRedisOptions): Promise<OwnRedis> {
  const { program, dataDir, graceMs, clock = systemClock } = options
  const folder = join(resolve(dataDir), 'redis')
  makeFolder(folder, 0o700)
  await stopLeftover(folder, clock)
  // The port of the last time again, so that a feed outside can keep its address.
  const port = await freePort(readNote(folder)?.port ?? 0)
  const server = spawn(program, serverArguments(folder, port), { detached: true, stdio: 'ignore' })
  const url = `redis://127.0.0.1:${port}`
  const ended = endOf(server)
  try {
    await Promise.race([
      waitUntilReady(url),
      ended.then((how) => {
        throw new SluiceError(
          'REDIS_UNAVAILABLE',
          `${program} ended at once (${how}): ${lastWords(folder)}`,
          {
            folder,
          },
        )
      }),
    ])
  } catch (error) {
    server.kill('SIGKILL')
    throw error
  }
  const pid = server.pid!
  writeFileSync(join(folder, 'server.json'), JSON.stringify({ pid, port }))
  const guard = startGuard(pid, graceMs)
  let stopping = false
  const died = ended.then((how) => {
    if (stopping) return new Promise<never>(() => {})
    throw new SluiceError('REDIS_UNAVAILABLE', `The own redis-server ended (${how}): ${lastWords(folder)}`, {
      pid,
    })
  })
  // Whoever does not listen must not die of it.
  died.catch(() => {})
  return {
    url,
    port,
    pid,
    died,
    async stop() {
      stopping = true
      server.kill('SIGTERM')
      const late = clock.sleep(STOP_MS).then(() => server.kill('SIGKILL'))
      await Promise.race([ended, late.then(() => ended)])
      if (guard.pid !== undefined) killGroup(guard.pid)
    },
  }
}

const serverArguments = (folder: string, port: number): string[] => [
  ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
  ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
  ...['--maxmemory-policy', 'noeviction', '--daemonize', 'no'],
  ...['--logfile', join(folder, 'redis.log')],
]

async function waitUntilReady(url: string): Promise<void> {
  const client = connectRedis(url, 'writer', { name: 'start' })
  try {
    await ready(client, START_MS)
  } finally {
    client.disconnect()
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((done) => {
    child.once('error', (error) => done(error.message))
    child.once('exit', (code, signal) => done(signal ?? `exit code ${code}`))
  })
}

// Reads until its stdin closes, which is when this process is gone in whatever way.
function startGuard(pid: number, graceMs: number): ChildProcess {
  const script = `read -r _; sleep ${Math.ceil(graceMs / 1_000)}; kill -TERM ${pid} 2>/dev/null`
  const guard = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  guard.unref()
  return guard
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Stops a server that an earlier run left with the same folder. Only a server that says so itself is ours. */
async function stopLeftover(folder: string, clock: Clock): Promise<void> {
  const note = readNote(folder)
  if (!note) return
  const url = `redis://127.0.0.1:${note.port}`
  const facts = await inspectRedis(url, 500).catch(() => undefined)
  const served = facts?.nodes[0].folder
  if (served === undefined || realpathSync(served) !== realpathSync(folder)) return
  process.kill(note.pid, 'SIGTERM')
  const end = clock.monotonic() + STOP_MS
  while (isAlive(note.pid)) {
    if (clock.monotonic() > end) process.kill(note.pid, 'SIGKILL')
    await clock.sleep(20)
  }
  rmSync(join(folder, 'server.json'), { force: true })
}

function readNote(folder: string): { pid: number; port: number } | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'server.json'), 'utf8'))
  } catch {
    return undefined // first start, or half written: then there is nothing to continue
  }
}

function lastWords(folder: string): string {
  try {
    return readFileSync(join(folder, 'redis.log'), 'utf8').trim().split('\n').slice(-3).join(' / ')
  } catch {
    return 'it wrote no log'
  }
}

/** Whether a process of that id exists; one of another user counts. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
