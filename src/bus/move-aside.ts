// A key of ours that holds another type was written by another program, and no entry of ours can be in it. It is moved
// aside under a name that says so, and what belongs there is made again.
import { runScript } from '../redis/index.ts'
import type { Link } from './link.ts'
import { partitionKeys, partitionsOf, type Stream, streamKeys } from './stream.ts'
import { MOVE_ASIDE } from './upkeep-scripts.ts'

/** Moves what is misplaced in one partition aside, and tells each as `lost`. */
export async function healPartition(
  link: Link,
  stream: Stream<unknown>,
  group: string,
  partition: number,
): Promise<void> {
  const keys = partitionKeys(stream.name, partition)
  const types: [key: string, type: string][] = [
    [keys.entries, 'stream'],
    [keys.dead, 'stream'],
    [keys.meta, 'hash'],
    [keys.idsNew, 'set'],
    [keys.idsOld, 'set'],
    [keys.lease(group), 'hash'],
    [keys.checkpoint(group), 'hash'],
  ]
  await moveAside(link, { stream, group, partition }, types)
}

/** Moves everything aside that stands in a group's way. */
export async function healTypes(link: Link, stream: Stream<unknown>, group: string): Promise<void> {
  const names = streamKeys(stream.name)
  const place = { stream, group, partition: 0 }
  await moveAside(link, place, [[names.groups, 'set']])
  await moveAside(link, place, [[names.paused, 'hash']])
  await moveAside(link, place, [[names.members(group), 'zset']])
  for (const partition of partitionsOf(stream)) await healPartition(link, stream, group, partition)
}

interface Place {
  readonly stream: Stream<unknown>
  readonly group: string
  readonly partition: number
}

async function moveAside(
  link: Link,
  { stream, group, partition }: Place,
  types: readonly [key: string, type: string][],
): Promise<void> {
  const keys = types.map(([key]) => key)
  const expected = types.map(([, type]) => type)
  const moved = await runScript(await link.writer(), MOVE_ASIDE, keys, expected)
  for (const [key, found, name] of moved as [string, string, string][]) {
    const reason = `${key} held a ${found} of another program; it is kept as ${name}`
    link.events.emit('lost', { stream: stream.name, group, partition, count: 0, reason })
  }
}
