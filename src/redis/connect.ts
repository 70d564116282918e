// The only place where a Redis connection is made. One client cannot serve every use: what is right for a blocking
// reader (wait for ever) is wrong for a cache (answer now or not at all), so each role has its own manners.
import { Redis, type RedisOptions } from 'ioredis'
import { afterMs, messageOf, SluiceError, systemClock, withoutPassword } from '../kernel/index.ts'

export type { Redis }

/**
 * - `writer`: publishes, acknowledges, runs scripts. Fails at once when the server is away: ioredis would otherwise
 *   send an unanswered command again after a reconnect (measured: one XADD became two entries).
 * - `reader`: blocks. Its command fails on a disconnect instead of being sent again, so the loop can look at what
 *   was already delivered to it first.
 * - `subscriber`: pub/sub; subscribes again by itself.
 * - `cache`: an answer within 50 ms or none.
 * - `lock`: far below any lock's lifetime.
 * - `jobs`: as BullMQ demands.
 */
export type Role = 'writer' | 'reader' | 'subscriber' | 'cache' | 'lock' | 'jobs'

const ROLE_OPTIONS = {
  writer: { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 5_000 },
  reader: { maxRetriesPerRequest: 0, enableOfflineQueue: false },
  subscriber: { maxRetriesPerRequest: null, enableOfflineQueue: true },
  cache: { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 50 },
  lock: { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 200 },
  jobs: { maxRetriesPerRequest: null },
} satisfies Record<Role, RedisOptions>

export interface ConnectOptions {
  /** Shown in CLIENT LIST. */
  readonly name?: string
  /** Told of every connection error; reconnecting goes on by itself. Without it errors show in the next command. */
  readonly onError?: (error: Error) => void
}

/** Connects lazily: nothing happens before `ready` or the first command of a role that queues. */
export function connectRedis(url: string, role: Role, { name, onError }: ConnectOptions = {}): Redis {
  const options = {
    lazyConnect: true,
    connectTimeout: 5_000,
    // A server does not answer the end of a connection that is blocked in a read, and ioredis would wait 2 s for it.
    disconnectTimeout: 20,
    // A close by a peer that is gone without a word is noticed by TCP keep-alive.
    keepAlive: 10_000,
    retryStrategy: (attempt: number) => Math.min(25 * 2 ** Math.min(attempt, 6), 1_000),
    connectionName: `sluice:${name ?? role}`,
    ...ROLE_OPTIONS[role],
  } satisfies RedisOptions
  const client = new Redis(url, options)
  client.on('error', (error: Error) => onError?.(error))
  return client
}

/** Resolves when the client can take commands; rejects with REDIS_UNAVAILABLE after `timeoutMs`. */
export async function ready(client: Redis, timeoutMs = 10_000): Promise<void> {
  if (client.status === 'ready') return
  let cancel = () => {}
  let lastError: unknown
  const onError = (error: Error) => {
    lastError = error
  }
  client.on('error', onError)
  let onEnd = () => {}
  try {
    await new Promise<void>((resolve, reject) => {
      cancel = afterMs(timeoutMs, () => reject(unavailable(client, lastError ?? new Error('no answer'))))
      onEnd = () => reject(unavailable(client, lastError ?? new Error('the connection was closed')))
      client.once('ready', resolve)
      client.once('end', onEnd)
      if (client.status === 'wait') client.connect().catch(onError)
      if (client.status === 'end') onEnd()
    })
  } finally {
    cancel()
    client.off('error', onError)
    client.off('end', onEnd)
  }
}

/** Ends a connection; never waits on a dead server. */
export async function closeRedis(client: Redis): Promise<void> {
  // A disconnect before the socket exists does nothing, so it is said again until the client has ended. Between two
  // attempts to reconnect it only cancels the next one, and the client never says that it has ended (ioredis 6.0).
  while (client.status !== 'end') {
    const isBetween = client.status === 'reconnecting' || client.status === 'wait'
    client.disconnect()
    if (isBetween) return
    await systemClock.sleep(5)
  }
}

const unavailable = (client: Redis, cause: unknown) => {
  const { host, port } = client.options
  return new SluiceError(
    'REDIS_UNAVAILABLE',
    `Redis at ${host}:${port} did not answer: ${messageOf(cause)}`,
    { host, port },
    cause,
  )
}

/** Says what a failed command means; errors that Redis itself answered pass through unchanged. */
export function redisError(error: unknown, url: string): unknown {
  const text = messageOf(error)
  const isAnswer = error instanceof Error && error.name === 'ReplyError' && !text.startsWith('LOADING')
  if (isAnswer || error instanceof SluiceError) return error
  const where = withoutPassword(url)
  return new SluiceError('REDIS_UNAVAILABLE', `Redis at ${where} did not answer: ${text}`, { where }, error)
}
