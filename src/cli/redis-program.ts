// Finds the redis-server program, installs it where that is allowed, or knows the one command that would.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Environment } from '../kernel/index.ts'

/** Valkey speaks the same protocol and keeps the same files. */
const PROGRAMS = ['redis-server', 'valkey-server'] as const

const INSTALL_COMMANDS = {
  brew: 'brew install redis',
  'apt-get': 'sudo apt-get install -y redis-server',
  dnf: 'sudo dnf install -y redis',
  pacman: 'sudo pacman -S --noconfirm redis',
  apk: 'sudo apk add redis',
} as const

/** The program's full path; undefined where there is none. */
export function findProgram(
  environment: Environment,
  names: readonly string[] = PROGRAMS,
): string | undefined {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name)
      try {
        if (folder !== '') accessSync(path, constants.X_OK)
        else continue
        return path
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined
}

/** The one command that brings redis-server to this machine. */
export function installCommand(environment: Environment): string {
  for (const [manager, command] of Object.entries(INSTALL_COMMANDS)) {
    if (findProgram(environment, [manager]) !== undefined) return command
  }
  return 'see https://redis.io/docs/latest/operate/oss_and_stack/install/'
}

/** Debian and its children, as root: there a package may be installed without asking anybody. */
export const mayInstall = (environment: Environment): boolean =>
  process.getuid?.() === 0 && findProgram(environment, ['apt-get']) !== undefined

/** Installs redis-server with apt-get; answers whether it worked. Lists are refreshed only when needed. */
export async function installRedis(environment: Environment): Promise<boolean> {
  const env = { ...environment, DEBIAN_FRONTEND: 'noninteractive' }
  const install = ['install', '-y', '--no-install-recommends', 'redis-server']
  if (await succeeds('apt-get', install, env)) return true
  return (await succeeds('apt-get', ['update'], env)) && (await succeeds('apt-get', install, env))
}

function succeeds(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    // Its output goes to stderr: stdout belongs to results.
    const child = spawn(program, args, { env, stdio: ['ignore', 2, 2] })
    child.on('error', () => resolve(false))
    child.on('close', (code) => resolve(code === 0))
  })
}
