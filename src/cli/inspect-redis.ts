// What Sluice needs to know about a Redis server before it trusts it with streams. Everything is read from INFO,
// which managed services allow where CONFIG GET is forbidden.
import { SluiceError, withoutPassword } from '../kernel/index.ts'
import { connectRedis, ready, redisError } from '../redis/index.ts'

/** XAUTOCLAIM and GETEX came with 6.2. */
const LEAST_VERSION = '6.2.0'

export interface RedisFacts {
  readonly version: string
  readonly policy: string
  readonly aof: boolean
  /** The server's wall clock, ms UTC, and ours at the middle of the question. */
  readonly timeMs: number
  /** The folder it works in; undefined where CONFIG is forbidden. */
  readonly folder: string | undefined
}

/** Throws REDIS_UNAVAILABLE when no server answers within `timeoutMs`. */
export async function inspectRedis(url: string, timeoutMs: number): Promise<RedisFacts> {
  const client = connectRedis(url, 'writer', { name: 'inspect' })
  try {
    await ready(client, timeoutMs)
    const info = readInfo(await client.info())
    const [seconds, micros] = await client.time()
    const folder = await client.config('GET', 'dir').then(
      (answer) => configValue(answer),
      () => undefined,
    )
    return {
      version: info.get('redis_version') ?? '0',
      policy: info.get('maxmemory_policy') ?? 'unknown',
      aof: info.get('aof_enabled') === '1',
      timeMs: Number(seconds) * 1_000 + Number(micros) / 1_000,
      folder,
    }
  } catch (error) {
    throw redisError(error, url)
  } finally {
    client.disconnect()
  }
}

/** Throws REDIS_UNFIT when messages would not be safe there; answers warnings. */
export function judgeRedis(url: string, facts: RedisFacts): string[] {
  const where = withoutPassword(url)
  if (compareVersions(facts.version, LEAST_VERSION) < 0) {
    throw new SluiceError(
      'REDIS_UNFIT',
      `Redis at ${where} is version ${facts.version}; Sluice needs ${LEAST_VERSION} or newer.`,
      { where, version: facts.version },
    )
  }
  if (facts.policy !== 'noeviction') {
    throw new SluiceError(
      'REDIS_UNFIT',
      `Redis at ${where} has maxmemory-policy ${facts.policy} and may drop messages; set it to noeviction: redis-cli config set maxmemory-policy noeviction`,
      { where, policy: facts.policy },
    )
  }
  if (facts.aof) return []
  return [
    `Redis at ${where} has no AOF: a crash of the server loses what came since its last save (redis-cli config set appendonly yes)`,
  ]
}

/** Negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string) => version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  const [left, right] = [parts(a), parts(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function readInfo(text: string): Map<string, string> {
  const pairs = text.split(/\r?\n/).filter((line) => line.includes(':'))
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

// RESP3 answers a map, RESP2 a list.
function configValue(answer: unknown): string | undefined {
  if (Array.isArray(answer)) return typeof answer[1] === 'string' ? answer[1] : undefined
  const value = (answer as Record<string, unknown> | null)?.['dir']
  return typeof value === 'string' ? value : undefined
}
