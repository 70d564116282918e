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
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let lastError: unknown
  const onError = (error: unknown) => {
    lastError = error
  }
  const onEnd = () => reject(unavailable(client, lastError ?? new Error('the connection was closed')))
  const cancel = afterMs(timeoutMs, () => reject(unavailable(client, lastError ?? new Error('no answer'))))
  client.on('error', onError).on('ready', resolve).on('end', onEnd)
  try {
    if (client.status === 'wait') client.connect().catch(onError)
    if (client.status === 'end') onEnd()
    await promise
  } finally {
    cancel()
    client.off('error', onError).off('ready', resolve).off('end', onEnd)
  }
}

/** Ends a connection; never waits on a dead server. */
export async function closeRedis(client: Redis): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('end', resolve)
  while (client.status !== 'end') {
    const wasReconnecting = client.status === 'reconnecting'
    client.disconnect()
    // That stopped the timer of the next attempt; there is no socket, and ioredis will never say `end` (measured).
    if (wasReconnecting) break
    // A disconnect before the socket exists does nothing, so it is said again until the client has ended.
    await Promise.race([promise, systemClock.sleep(30)])
  }
  client.off('end', resolve)
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

/** Says what a failed command means; other errors that Redis itself answered pass through unchanged. */
export function redisError(error: unknown, url: string): unknown {
  const text = messageOf(error)
  const where = withoutPassword(url)
  if (text.startsWith('WRONGTYPE')) {
    const advice = 'move or delete the key that another program wrote there'
    return new SluiceError('REDIS_WRONG_TYPE', `Redis at ${where}: ${text}; ${advice}.`, { where }, error)
  }
  const isAnswer = error instanceof Error && error.name === 'ReplyError' && !text.startsWith('LOADING')
  if (isAnswer || error instanceof SluiceError || isMistake(error)) return error
  return new SluiceError('REDIS_UNAVAILABLE', `Redis at ${where} did not answer: ${text}`, { where }, error)
}

/** True for errors of the program, which no waiting cures. */
export const isMistake = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof SyntaxError ||
  error instanceof ReferenceError
