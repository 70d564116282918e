// Waiting until replicas have what was written. WAIT speaks of the connection it is sent on, and in three cases it says
// "yes" of a write that no replica has: on another node, on a new connection, and (from Redis 7.2 on) on a connection
// that has written nothing, such as one that was told only that an event is known already.
import type { Redis } from './connect.ts'
import { type Line, lineOf } from './lines.ts'
import { onNodeOf, type RedisNode } from './nodes.ts'

export interface Confirmation {
  /** Replicas of each node that must have it. */
  readonly replicas: number
  readonly timeoutMs: number
  /**
   * A key for each slot that `write` writes to, of no other use: it is set and expires, so that there is a write to
   * wait for behind all that came before.
   */
  readonly keys: readonly string[]
}

/**
 * Runs `write` and answers how many replicas have all that the nodes of the keys were told before it ended: the fewest
 * of any node. 0 when a connection broke or a slot moved meanwhile, because then nobody knows. To write again must be
 * safe.
 */
export async function confirmWrites<T>(
  client: Redis,
  { replicas, timeoutMs, keys }: Confirmation,
  write: () => Promise<T>,
): Promise<{ readonly answer: T; readonly confirmed: number }> {
  const before = linesOf(client, keys)
  const answer = await write()
  const lines = linesOf(client, keys)
  const isSame = [...lines].every(([node, { line }]) => before.get(node)?.line === line)
  if (!isSame) return { answer, confirmed: 0 }
  const counts = await Promise.all(
    [...lines].map(async ([node, { key, line }]) => {
      const barrier = node.pipeline().set(key, '', 'PX', 1).wait(replicas, timeoutMs)
      const [, waited] = (await barrier.exec()) ?? []
      if (!waited || waited[0]) throw waited?.[0] ?? new Error('WAIT was not answered')
      return lineOf(node) === line ? Number(waited[1]) : 0
    }),
  )
  return { answer, confirmed: Math.min(...counts) }
}

/** The nodes of the keys, each with one of them and the connection it has now. */
function linesOf(client: Redis, keys: readonly string[]): Map<RedisNode, { key: string; line: Line }> {
  return new Map(
    keys.map((key) => {
      const node = onNodeOf(client, key)
      return [node, { key, line: lineOf(node) }]
    }),
  )
}
