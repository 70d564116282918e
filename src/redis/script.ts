// Lua scripts run by hash. ioredis forgets after a server restart that a script must be loaded again inside a
// pipeline; one EVALSHA, and EVAL on NOSCRIPT, has no such state.
import { createHash } from 'node:crypto'
import type { Redis } from './connect.ts'

export interface Script {
  readonly source: string
  readonly hash: string
}

export const defineScript = (source: string): Script => ({
  source,
  hash: createHash('sha1').update(source).digest('hex'),
})

/** Runs a script; the answer has the shape that the script gives it. */
export async function runScript(
  client: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(script.hash, keys.length, ...keys, ...args)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    if (!error.message.startsWith('NOSCRIPT')) throw unwrap(error)
  }
  try {
    return await client.eval(script.source, keys.length, ...keys, ...args)
  } catch (error) {
    throw error instanceof Error ? unwrap(error) : error
  }
}

/** Redis 6 puts where it happened in front of what a command of the script was refused with; Redis 7 puts it behind. */
function unwrap(error: Error): Error {
  const refusal = /^(?:ERR Error running script .*?: )?(?:@user_script: ?\d+: ?)+-?([A-Z]+ .*)$/s.exec(
    error.message,
  )
  if (refusal) error.message = refusal[1]!
  return error
}
