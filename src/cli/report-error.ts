// How a failed command ends: a known failure is one sentence with its code, an unknown one is a stack.
import { CommanderError } from 'commander'
import { isSluiceError, messageOf, processEnvironment } from '../kernel/index.ts'

/** 0 done, 1 failed, 2 called or configured wrongly. */
export type ExitCode = 0 | 1 | 2

const USAGE_CODES = new Set([
  'CONFIG_INVALID',
  'USAGE',
  'GROUP_IN_USE',
  'GROUP_UNKNOWN',
  'DEAD_LETTER_UNKNOWN',
  'NODE_TOO_OLD',
])

/** Says what went wrong on stderr and answers the exit code. */
export function reportError(error: unknown, json: boolean): ExitCode {
  // Commander has already written its sentence.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (!isSluiceError(error)) {
    process.stderr.write(`sluice: ${error instanceof Error ? error.stack : messageOf(error)}\n`)
    return 1
  }
  const { code, message, facts } = error
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, facts } })}\n`)
  else process.stderr.write(`sluice: ${message}  [${code}]\n`)
  const { LOG_LEVEL } = processEnvironment()
  if (LOG_LEVEL === 'debug' || LOG_LEVEL === 'trace') process.stderr.write(`${error.stack}\n`)
  return USAGE_CODES.has(code) ? 2 : 1
}
