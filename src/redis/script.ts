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
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
    return client.eval(script.source, keys.length, ...keys, ...args)
  }
}
