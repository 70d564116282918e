// One `sluice start` for each DATA_DIR: a file with the pid of who runs there. The same file tells the other commands
// where the running system has its Redis. A file whose process is gone is left over from a crash and is taken over.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeFolder, SluiceError } from '../kernel/index.ts'
import { isAlive } from './own-redis.ts'

export interface Running {
  readonly pid: number
  readonly redisUrl?: string
  readonly console?: string
}

export interface Claim {
  /** Whether an earlier run ended without giving the folder back. */
  readonly afterCrash: boolean
  tell(facts: Omit<Running, 'pid'>): void
  release(): void
}

const fileOf = (dataDir: string) => join(resolve(dataDir), 'running.json')

/** Throws ALREADY_RUNNING. */
export function claimFolder(dataDir: string): Claim {
  const file = fileOf(dataDir)
  makeFolder(resolve(dataDir))
  const own = `${file}.${process.pid}`
  const write = (running: Running) => writeFileSync(own, JSON.stringify(running), { mode: 0o600 })
  write({ pid: process.pid })
  let afterCrash = false
  try {
    for (;;) {
      try {
        // A hard link is there with its content or not at all.
        linkSync(own, file)
        break
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        const holder = readRunning(file)
        if (holder && holder.pid !== process.pid && isSluice(holder.pid))
          throw alreadyRunning(dataDir, holder)
        rmSync(file, { force: true })
        afterCrash = true
      }
    }
  } finally {
    rmSync(own, { force: true })
  }
  return {
    afterCrash,
    tell(facts) {
      write({ pid: process.pid, ...facts })
      renameSync(own, file)
    },
    release: () => rmSync(file, { force: true }),
  }
}

/** The system that runs with this DATA_DIR, if one does. */
export function runningIn(dataDir: string): Running | undefined {
  const running = readRunning(fileOf(dataDir))
  return running && isSluice(running.pid) ? running : undefined
}

const alreadyRunning = (dataDir: string, holder: Running) =>
  new SluiceError(
    'ALREADY_RUNNING',
    `Sluice already runs here (pid ${holder.pid}${holder.console ? `, ${holder.console}` : ''}, DATA_DIR ${dataDir}). Stop it with Ctrl-C there, or start with another DATA_DIR and PORT.`,
    { pid: holder.pid, dataDir },
  )

function readRunning(file: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Running
  } catch {
    return undefined // absent, or not ours to understand
  }
}

// A pid is reused after a reboot: where the system tells command lines, ours must be in it.
function isSluice(pid: number): boolean {
  if (!isAlive(pid)) return false
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('src/cli/main.ts')
  } catch {
    return true
  }
}
