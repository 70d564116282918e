// What Sluice needs to know about every Redis server behind an address before it trusts them with streams. Everything
// is read from INFO, which managed services allow where CONFIG GET is forbidden.
import { messageOf, parseRedisUrl, type RedisHost, type RedisPlace } from '../kernel/index.ts'
import { closeRedis, connectRedis, nodesOf, type RedisNode, ready, redisError } from '../redis/index.ts'

export interface NodeFacts {
  readonly where: string
  readonly role: 'master' | 'replica'
  readonly version: string
  /** standalone, cluster or sentinel: what the server itself says it is. */
  readonly mode: string
  readonly policy: string
  readonly aof: boolean
  /** When it writes the AOF to disk: always, everysec or no; undefined where CONFIG is forbidden. */
  readonly fsync: string | undefined
  /** It refuses writes without a replica that follows (min-replicas-to-write). */
  readonly demandsReplicas: boolean
  readonly replicas: readonly RedisHost[]
  /** The server's wall clock, ms UTC. */
  readonly timeMs: number
  /** The folder it works in; undefined where CONFIG is forbidden. */
  readonly folder: string | undefined
}

export interface RedisFacts {
  readonly topology: RedisPlace['kind']
  /** The master, or all masters of a cluster, first; then the replicas that are known. */
  readonly nodes: readonly [NodeFacts, ...NodeFacts[]]
  /** Replicas that did not answer, and why. */
  readonly silent: readonly string[]
  /** As a cluster says it: ok or fail. */
  readonly state: string
}

/** Throws REDIS_UNAVAILABLE when no server, or a master of a cluster, does not answer within `timeoutMs`. */
export async function inspectRedis(url: string, timeoutMs: number): Promise<RedisFacts> {
  const place = parseRedisUrl(url)
  const client = connectRedis(url, 'writer', { name: 'inspect' })
  try {
    await ready(client, timeoutMs)
    const masters = await Promise.all(nodesOf(client).map((node) => inspectNode(node, place)))
    const [first, ...others] = masters
    if (!first) throw new Error('no node of the cluster is connected')
    const replicas = await Promise.allSettled(
      // A single server is judged alone: nothing says that its replicas will ever take its place.
      place.kind === 'single'
        ? []
        : masters.flatMap((master) => master.replicas.map((host) => inspectAt(place, host, timeoutMs))),
    )
    return {
      topology: place.kind,
      nodes: [
        first,
        ...others,
        ...replicas.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
      ],
      silent: replicas.flatMap((one) => (one.status === 'rejected' ? [messageOf(one.reason)] : [])),
      state: place.kind === 'cluster' ? await clusterState(nodesOf(client)) : 'ok',
    }
  } catch (error) {
    throw redisError(error, url)
  } finally {
    await closeRedis(client)
  }
}

async function inspectAt(
  place: RedisPlace,
  { host, port }: RedisHost,
  timeoutMs: number,
): Promise<NodeFacts> {
  const { username = '', password, tls } = place
  const access =
    password === undefined ? '' : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`
  const name = host.includes(':') ? `[${host}]` : host
  const client = connectRedis(`redis${tls ? 's' : ''}://${access}${name}:${port}`, 'writer', {
    name: 'inspect',
  })
  try {
    await ready(client, timeoutMs)
    return await inspectNode(nodesOf(client)[0]!, undefined)
  } finally {
    await closeRedis(client)
  }
}

async function inspectNode(node: RedisNode, place: RedisPlace | undefined): Promise<NodeFacts> {
  const info = readInfo(await node.info())
  const mode = info.get('redis_mode') ?? 'standalone'
  // A sentinel, which somebody took for a server, has no such command.
  const [seconds, micros] = mode === 'sentinel' ? [0, 0] : await node.time()
  const setting = (name: string) =>
    node.config('GET', name).then(
      (answer) => configValue(answer, name),
      () => undefined,
    )
  const [folder, fsync] = [await setting('dir'), await setting('appendfsync')]
  // The options of a client under Sentinel hold no address; there is one master, and its name says enough.
  const { host, port } = node.options
  const where = place?.kind === 'sentinel' ? `the master ${place.service}` : `${host}:${port}`
  return {
    where,
    role: info.get('role') === 'master' ? 'master' : 'replica',
    version: info.get('redis_version') ?? '0',
    mode,
    policy: info.get('maxmemory_policy') ?? 'unknown',
    aof: info.get('aof_enabled') === '1',
    fsync,
    demandsReplicas: info.has('min_slaves_good_slaves'),
    replicas: [...info].flatMap(([name, value]) => (/^slave\d+$/.test(name) ? replicaOf(value) : [])),
    timeMs: Number(seconds) * 1_000 + Number(micros) / 1_000,
    folder,
  }
}

/** As in `ip=10.0.0.7,port=6379,state=online,…`. */
function replicaOf(text: string): RedisHost[] {
  const host = /\bip=([^,]+)/.exec(text)?.[1]
  const port = Number(/\bport=(\d+)/.exec(text)?.[1])
  return host && port ? [{ host, port }] : []
}

async function clusterState(nodes: readonly RedisNode[]): Promise<string> {
  const states = await Promise.all(
    nodes.map(async (node) => readInfo(await node.cluster('INFO')).get('cluster_state')),
  )
  return states.find((state) => state !== 'ok') ?? 'ok'
}

function readInfo(text: string): Map<string, string> {
  const pairs = text.split(/\r?\n/).filter((line) => line.includes(':'))
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
}

// RESP3 answers a map, RESP2 a list.
function configValue(answer: unknown, name: string): string | undefined {
  if (Array.isArray(answer)) return typeof answer[1] === 'string' ? answer[1] : undefined
  const value = (answer as Record<string, unknown> | null)?.[name]
  return typeof value === 'string' ? value : undefined
}
