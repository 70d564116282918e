// Consumer groups. A group is registered before it is created, so that trimming waits for it from the start.
import { messageOf } from '../kernel/index.ts'
import type { Redis } from '../redis/index.ts'
import { partitionKeys, type Stream, streamKeys } from './stream.ts'

/**
 * Creates the group in one partition unless it exists. A group that vanished is made again from the beginning:
 * what it handled before comes again and is recognised by its event ids; from the end it would be lost.
 */
export async function ensureGroup(
  client: Redis,
  stream: Pick<Stream<unknown>, 'name'>,
  partition: number,
  group: string,
  from: 'start' | 'end',
): Promise<void> {
  const start = from === 'start' ? '0' : '$'
  try {
    await client.xgroup('CREATE', partitionKeys(stream.name, partition).entries, group, start, 'MKSTREAM')
  } catch (error) {
    if (!messageOf(error).startsWith('BUSYGROUP')) throw error
  }
}

/** Registers the group and creates it in every partition. */
export async function openGroup(
  client: Redis,
  stream: Stream<unknown>,
  group: string,
  from: 'start' | 'end',
): Promise<void> {
  await client.sadd(streamKeys(stream.name).groups, group)
  const partitions = Array.from({ length: stream.partitions }, (_, partition) => partition)
  await Promise.all(partitions.map((partition) => ensureGroup(client, stream, partition, group, from)))
}
