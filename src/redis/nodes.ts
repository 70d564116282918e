// The single servers behind a connection: for commands that a cluster cannot route, because they have no key (TIME,
// INFO, WAIT, PUBLISH).
import type { Cluster } from 'ioredis'
import type { PlainRedis, Redis } from './connect.ts'
import { slotOf } from './slots.ts'

/** A single server or one node of a cluster. */
export type RedisNode = PlainRedis

/**
 * The connection to the one server that owns the key: the client itself, or in a cluster its connection to that node,
 * the same over which it sends the key's commands. Such a command follows no MOVED: it fails, and the next call gives
 * the new owner. Throws when no owner is known.
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

/** True where commands may name keys of one slot only. */
export const isCluster = (client: Redis): boolean => clusterOf(client) !== undefined

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
