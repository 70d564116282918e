// Which connection a client has now. A new one may lead to another server, or to one that has been started again: what
// the one before was answered last may be forgotten there.
import type { Redis } from './connect.ts'
import { onNodeOf, type RedisNode } from './nodes.ts'

/** Equal to itself only: another one means another connection. */
export type Line = object

const lines = new WeakMap<RedisNode, Line>()

/** Asked for the first time before the connection is made, it is that connection's as well. */
export function lineOf(node: RedisNode): Line {
  const known = lines.get(node)
  if (known) return known
  const first = {}
  lines.set(node, first)
  node.on('close', () => lines.set(node, {}))
  return first
}

/** Answers from now on whether the connection to the node of the key is another one than now. */
export function watchLine(client: Redis, key: string): () => boolean {
  const node = onNodeOf(client, key)
  const line = lineOf(node)
  return () => lineOf(node) !== line
}
