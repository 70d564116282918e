// Runs the real `sluice` command as a child process, as a person or a program would.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../rules/files.ts'
import { eventually } from './eventually.ts'

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Everything it wrote so far, both streams. */
  said(): string
  /** Resolves when what it wrote matches; fails when it ends before. */
  says(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray>
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: string
}

/** Settings of the machine must not reach a test: only what a process cannot do without is passed on. */
const cleanEnvironment = (env: Readonly<Record<string, string>> = {}) => {
  const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env
  return { PATH, HOME, LANG, ...env }
}

export function run(
  program: string,
  args: readonly string[],
  { env, cwd = ROOT, input }: RunOptions = {},
): Running {
  const child = spawn(program, args, { cwd, env: cleanEnvironment(env), stdio: 'pipe' })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.end(input)
  let isOver = false
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      isOver = true
      resolve({ code, signal, stdout, stderr })
    })
  })
  const said = () => stdout + stderr
  return {
    child,
    ended,
    said,
    async says(pattern, timeoutMs = 90_000) {
      const found = await eventually(
        () => {
          const match = pattern.exec(said())
          return match ?? (isOver ? 'over' : undefined)
        },
        { timeoutMs, what: `${args.join(' ')} saying ${pattern}` },
      )
      if (found === 'over') throw new Error(`${args.join(' ')} ended without saying ${pattern}: ${said()}`)
      return found as RegExpExecArray
    },
  }
}

export const SLUICE = join(ROOT, 'bin/sluice')

export const sluice = (args: readonly string[], options?: RunOptions): Running => run(SLUICE, args, options)
