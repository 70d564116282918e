// One client cannot serve every use: what is right for a blocking reader (wait for ever) is wrong for a cache (answer
// now or not at all), so each role has its own manners. They hold for a single server, Sentinel and Cluster.
import type { RedisOptions } from 'ioredis'

/**
 * - `writer`: publishes, acknowledges, runs scripts. Fails at once when the server is away: ioredis would otherwise
 *   send an unanswered command again after a reconnect (measured: one XADD became two entries).
 * - `reader`: blocks, for 5 s at most. Its command fails on a disconnect instead of being sent again, so the loop can
 *   look at what was already delivered to it first.
 * - `subscriber`: pub/sub. Its user subscribes at every `ready`: ioredis would do so by itself, but nobody could know
 *   when that is confirmed, nor catch its failure, which would end the process.
 * - `cache`: an answer within 50 ms or none.
 * - `lock`: far below any lock's lifetime.
 * - `jobs`: as BullMQ demands.
 */
export type Role = 'writer' | 'reader' | 'subscriber' | 'cache' | 'lock' | 'jobs'

// socketTimeout: a connection that owes an answer and is silent for this long is given up. A command's own time-out
// fails the command only and would leave the client for ever on a master that froze or lost its network, while
// another has taken its place.
const ROLE_OPTIONS = {
  writer: { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 5_000, socketTimeout: 5_000 },
  reader: { maxRetriesPerRequest: 0, enableOfflineQueue: false, socketTimeout: 8_000 },
  subscriber: {
    maxRetriesPerRequest: null,
    enableOfflineQueue: true,
    autoResubscribe: false,
    socketTimeout: 5_000,
  },
  cache: { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 50, socketTimeout: 500 },
  lock: { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 200, socketTimeout: 1_000 },
  // BullMQ blocks for up to 10 s.
  jobs: { maxRetriesPerRequest: null, socketTimeout: 20_000 },
} satisfies Record<Role, RedisOptions>

/** Roles whose commands are sent again after a failure; all others leave that to the caller. */
export const sendsAgain = (role: Role): boolean => role === 'jobs'

/** Pauses between attempts to connect. */
export const retryMs = (attempt: number): number => Math.min(25 * 2 ** Math.min(attempt, 6), 1_000)

export const roleOptions = (role: Role, name: string) =>
  ({
    lazyConnect: true,
    connectTimeout: 5_000,
    // A server does not answer the end of a connection that is blocked in a read, and ioredis would wait 2 s for it.
    disconnectTimeout: 20,
    // A close by a peer that is gone without a word is noticed by TCP keep-alive.
    keepAlive: 10_000,
    retryStrategy: retryMs,
    connectionName: `sluice:${name}`,
    ...ROLE_OPTIONS[role],
  }) satisfies RedisOptions
