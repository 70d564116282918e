// The only place where a Redis connection is made: to one server, to the master that sentinels name, or to a cluster,
// as the address says.
import { Cluster, type Command, Redis as PlainRedis } from 'ioredis'
import {
  afterMs,
  messageOf,
  parseRedisUrl,
  type RedisHost,
  type RedisPlace,
  redisPlaceText,
  SluiceError,
  systemClock,
} from '../kernel/index.ts'
import { isElsewhere } from './errors.ts'
import { nodeConnector } from './node-connector.ts'
import { nodesOf } from './nodes.ts'
import { type Role, retryMs, roleOptions, sendsAgain } from './roles.ts'
import { readSlots, slotOf } from './slots.ts'

/**
 * A connection, whatever is at its other end: what a plain client and a client of a cluster have in common. In a
 * cluster a command goes to the node that owns its keys, which must be one; without a key, to any master.
 */
export type Redis = Omit<Pick<PlainRedis, keyof PlainRedis & keyof Cluster>, 'options' | 'duplicate'>
export type { PlainRedis }

export interface ConnectOptions {
  /** Shown in CLIENT LIST. */
  readonly name?: string
  /** Told of every connection error; reconnecting goes on by itself. Without it errors show in the next command. */
  readonly onError?: (error: Error) => void
  /**
   * In a cluster: a reader or subscriber connects to the node that owns this key, and follows it. For a reader, what
   * it blocks on (without, it is a client of the whole cluster). For a subscriber, the channel: what is published on
   * that node arrives in order (without, any node, which hears what is published anywhere).
   */
  readonly key?: string
}

// Sentinels and nodes have others to turn to, so one that does not answer is given up sooner.
const PEER_TIMEOUT_MS = 2_000
const CLOSE_MS = 500

/** Where each client leads, for messages. */
const places = new WeakMap<object, RedisPlace>()

/** Connects lazily: nothing happens before `ready` or the first command of a role that queues. */
export function connectRedis(url: string, role: Role, how: ConnectOptions = {}): Redis {
  const place = parseRedisUrl(url)
  const client = openClient(url, place, role, how)
  places.set(client, place)
  reconnectOnlyConnected(client)
  client.on('error', (error: Error) => {
    if (!isNextRound(error)) how.onError?.(error)
  })
  return client
}

/**
 * Told to reconnect while it still looks for its server, a client of ioredis may end for good (measured: a writer that
 * stayed closed after a failover). There is nothing to give up yet, and every step of looking has its own time-out.
 * Nor is it told twice: a demoted master refuses all that was under way, and each call adds a timer and a listener to
 * the socket.
 */
function reconnectOnlyConnected(client: Redis): void {
  const disconnect = client.disconnect.bind(client)
  let isTold = false
  client.on('close', () => {
    isTold = false
  })
  client.disconnect = (reconnect = false) => {
    if (!reconnect) return disconnect()
    if (isTold || (client.status !== 'ready' && client.status !== 'connect')) return
    isTold = true
    disconnect(true)
  }
}

// A demoted master refuses writes: the connection is given up and finds the new one. Nothing is sent again.
const reconnectOnError = (error: Error): boolean => isElsewhere(error)

type Manners = ReturnType<typeof roleOptions> & { readonly reconnectOnError: typeof reconnectOnError }

function openClient(url: string, place: RedisPlace, role: Role, how: ConnectOptions): Redis {
  const options: Manners = { ...roleOptions(role, how.name ?? role), reconnectOnError }
  if (place.kind === 'single') return new PlainRedis(url, options)
  if (place.kind === 'sentinel') return openSentinel(place, options)
  if (role === 'subscriber' || (role === 'reader' && how.key !== undefined))
    return openNode(place, options, how.key)
  return openCluster(place, role, options, how.onError)
}

const accessOf = ({ username, password, tls }: RedisPlace) => ({
  ...(username === undefined ? {} : { username }),
  ...(password === undefined ? {} : { password }),
  ...(tls ? { tls: {} } : {}),
})

function openSentinel(place: RedisPlace & { kind: 'sentinel' }, options: Manners): PlainRedis {
  const { hosts, service, db, tls, sentinelUsername, sentinelPassword } = place
  return new PlainRedis({
    ...options,
    ...accessOf(place),
    connectTimeout: PEER_TIMEOUT_MS,
    sentinels: hosts.map((host) => ({ ...host })),
    name: service,
    role: 'master',
    db,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    // Without a pause as its answer, ioredis ends the client for good when no sentinel answers once.
    sentinelRetryStrategy: retryMs,
    sentinelCommandTimeout: PEER_TIMEOUT_MS,
  })
}

/** One plain connection into a cluster. */
function openNode(place: RedisPlace, options: Manners, key: string | undefined): PlainRedis {
  const { hosts, tls } = place
  const slot = key === undefined ? slotOf(options.connectionName) : slotOf(key)
  const ask = async (host: RedisHost) => {
    const asking = new PlainRedis({
      ...host,
      ...accessOf(place),
      connectTimeout: PEER_TIMEOUT_MS,
      commandTimeout: PEER_TIMEOUT_MS,
      protocol: 2,
      enableReadyCheck: false,
      retryStrategy: () => null,
      connectionName: 'sluice:slots',
    })
    asking.on('error', () => {})
    try {
      return readSlots(await asking.cluster('SLOTS'), host)
    } finally {
      asking.disconnect()
    }
  }
  const connector = nodeConnector({
    seeds: hosts,
    slot,
    tls,
    disconnectMs: options.disconnectTimeout,
    ask,
  })
  return new PlainRedis({
    ...options,
    ...accessOf(place),
    connectTimeout: PEER_TIMEOUT_MS,
    Connector: connector,
  })
}

function openCluster(
  place: RedisPlace & { kind: 'cluster' },
  role: Role,
  options: Manners,
  onError: ConnectOptions['onError'],
): Redis {
  const cluster: Cluster = new Cluster(
    place.hosts.map((host) => ({ ...host })),
    {
      lazyConnect: true,
      // It would connect each client to one more node; a cluster that is down says so in every answer.
      enableReadyCheck: false,
      clusterRetryStrategy: retryMs,
      slotsRefreshTimeout: PEER_TIMEOUT_MS,
      // Above 0, a command that was cut off unanswered is sent again.
      ...(sendsAgain(role) ? {} : { retryDelayOnFailover: 0, retryDelayOnClusterDown: 0 }),
      // A certificate names hosts, not what they resolve to.
      ...(place.tls ? { dnsLookup: (host: string, tell: Tell) => tell(null, host) } : {}),
      redisOptions: {
        ...options,
        ...accessOf(place),
        connectTimeout: PEER_TIMEOUT_MS,
        // The cluster follows MOVED by itself; what was sent to a node directly (`onNodeOf`) needs the new map too.
        reconnectOnError: (error: Error) => {
          if (isElsewhere(error)) cluster.refreshSlotsCache()
          return false
        },
      },
    },
  )
  if (!sendsAgain(role)) failWhileAway(cluster)
  cluster.on('node error', (error: Error) => onError?.(error))
  return cluster as unknown as Redis
}

type Tell = (error: NodeJS.ErrnoException | null, address: string, family?: number) => void
type Send = (command: Command, ...rest: unknown[]) => unknown

/** ioredis queues without limit of time what is sent while it looks for the nodes; the roles want to know at once. */
function failWhileAway(cluster: Cluster): void {
  const send = cluster.sendCommand.bind(cluster) as Send
  const guarded: Send = (command, ...rest) => {
    if (cluster.status === 'ready' || command.name === 'cluster') return send(command, ...rest)
    if (cluster.status === 'wait') cluster.connect().catch(() => {})
    command.reject(new Error(`the connection to the cluster is ${cluster.status}`))
    return command.promise
  }
  Object.assign(cluster, { sendCommand: guarded })
}

/**
 * ioredis says so each time it has asked the last of the sentinels and begins again with the first, also when all of
 * them answered and only the master did not. When one did not answer, its error stands behind.
 */
const isNextRound = (error: unknown): boolean =>
  /^All sentinels are unreachable\. (?!.*Last error)/.test(messageOf(error))

/** Resolves when the client can take commands; rejects with REDIS_UNAVAILABLE after `timeoutMs`. */
export async function ready(client: Redis, timeoutMs = 10_000): Promise<void> {
  if (client.status === 'ready') return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let lastError: unknown
  const onError = (error: unknown) => {
    if (!isNextRound(error)) lastError = error
  }
  const onEnd = () => reject(unavailable(client, lastError ?? new Error('the connection was closed')))
  const cancel = afterMs(timeoutMs, () => reject(unavailable(client, lastError ?? new Error('no answer'))))
  // A cluster tells of single nodes under a name of its own.
  client.on('error', onError).on('node error', onError).on('ready', resolve).on('end', onEnd)
  try {
    if (client.status === 'wait') client.connect().catch(onError)
    if (client.status === 'end') onEnd()
    await promise
  } finally {
    cancel()
    client.off('error', onError).off('node error', onError).off('ready', resolve).off('end', onEnd)
  }
}

/** Ends a connection; never waits on a dead server. */
export async function closeRedis(client: Redis): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('end', resolve)
  const giveUpAt = systemClock.monotonic() + CLOSE_MS
  let toldIn: string | undefined
  while (client.status !== 'end' && systemClock.monotonic() < giveUpAt) {
    const { status } = client
    // A cluster opens nodes that it has just heard of all the same, so it is told until it has ended. Each time would
    // add a listener to the socket of a plain client, also to the last one while it asks sentinels for the next.
    if (client.isCluster || status !== toldIn) client.disconnect()
    toldIn = status
    if (status === 'reconnecting' || hasNoNode(client)) endIdle(client)
    await Promise.race([promise, systemClock.sleep(30)])
  }
  client.off('end', resolve)
}

/**
 * Between two attempts there is no socket whose close would end the client: ioredis would never say `end`, and keep
 * what is queued for ever (measured). As one that has not connected yet, it ends.
 */
function endIdle(client: Redis): void {
  if (client.status === 'end') return
  client.status = 'wait'
  client.disconnect()
}

const hasNoNode = (client: Redis) => 'isCluster' in client && nodesOf(client, 'all').length === 0

const unavailable = (client: Redis, cause: unknown) => {
  const place = places.get(client)
  const where = place ? redisPlaceText(place) : 'an unknown address'
  return new SluiceError(
    'REDIS_UNAVAILABLE',
    `Redis at ${where} did not answer: ${messageOf(cause)}`,
    { where },
    cause,
  )
}
