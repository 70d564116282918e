// The single servers behind a connection: for commands that a cluster cannot route, because they have no key (TIME,
// INFO, WAIT) or keys of several nodes.
import type { Cluster } from 'ioredis'
import type { PlainRedis, Redis } from './connect.ts'
import { slotOf } from './slots.ts'

/** A single server or one node of a cluster. */
export type RedisNode = PlainRedis

/**
 * The connection to the one server that owns the key: the client itself, or in a cluster its connection to that node,
 * the same over which it sends the key's commands. Such a command follows no MOVED: it fails, and the next call gives
 * the new owner. Throws when no owner is known.
 *
 * WAIT says something only about writes of the connection it is sent on, and 1 is also the answer on a connection that
 * is new: send both in one pipeline of this node, which fails as a whole when the connection breaks between them.
 */
export function onNodeOf(client: Redis, key: string): RedisNode {
  const cluster = clusterOf(client)
  if (!cluster) return client as unknown as RedisNode
  const address = ownerOf(cluster, key)
  const node = cluster.nodes('master').find((one) => addressOf(one) === address)
  if (node) return node
  cluster.refreshSlotsCache()
  throw new Error(`no connection to the node that owns the slot of ${key}`)
}

/** The keys by the node that owns them now: for one command or one reader per node. One group without a cluster. */
export function groupByNode(client: Redis, keys: readonly string[]): string[][] {
  const cluster = clusterOf(client)
  return Object.values(Object.groupBy(keys, (key) => (cluster && ownerOf(cluster, key)) ?? '')) as string[][]
}

/** Every server of the topology that is connected: masters, and in a cluster their replicas with `all`. */
export function nodesOf(client: Redis, which: 'masters' | 'all' = 'masters'): RedisNode[] {
  const cluster = clusterOf(client)
  if (!cluster) return [client as unknown as RedisNode]
  return cluster.nodes(which === 'all' ? 'all' : 'master')
}

const clusterOf = (client: Redis): Cluster | undefined =>
  'isCluster' in client && client.isCluster ? (client as unknown as Cluster) : undefined

const ownerOf = (cluster: Cluster, key: string): string | undefined => cluster.slots[slotOf(key)]?.[0]
const addressOf = ({ options }: RedisNode) => `${options.host}:${options.port}`
