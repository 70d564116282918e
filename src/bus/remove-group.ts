// A group that nobody needs any more holds up trimming for ever, until its stream refuses publishers.
import { SluiceError } from '../kernel/index.ts'
import { type Redis, redisError, runScript } from '../redis/index.ts'
import { REMOVE_GROUP } from './control-scripts.ts'
import { demandGroup } from './group-control.ts'
import { groupsOf } from './groups.ts'
import type { Link } from './link.ts'
import { replyFacts } from './reply.ts'
import { partitionKeys, partitionsOf, type Stream, streamKeys } from './stream.ts'

// Consumers without order join no list. One that works on a full load asks for nothing new while its handlers run, and
// these have 60 s by default.
const SILENT_MS = 60_000

/** @param leaseMs a member that has not been heard of for this long is gone. */
export async function removeGroup(
  link: Link,
  stream: Stream<unknown>,
  group: string,
  leaseMs: number,
): Promise<void> {
  try {
    const client = await link.writer()
    await demandGroup(client, stream, group)
    await demandUnused(client, stream, group, leaseMs)
    const names = streamKeys(stream.name)
    // The list first: a partition that is left after a break shows the group still, and the removal is repeated.
    await client.srem(names.groups, group)
    for (const partition of partitionsOf(stream)) {
      const keys = partitionKeys(stream.name, partition)
      const scriptKeys = [keys.lease(group), keys.entries, keys.checkpoint(group), keys.meta]
      await runScript(client, REMOVE_GROUP, scriptKeys, [group, keys.gate(group, '')])
    }
    await client.hdel(names.paused, group)
    await client.del(names.members(group))
  } catch (error) {
    throw redisError(error, link.url)
  }
}

async function demandUnused(
  client: Redis,
  stream: Stream<unknown>,
  group: string,
  leaseMs: number,
): Promise<void> {
  const [seconds] = await client.time()
  const since = Number(seconds) * 1_000 - leaseMs
  const members = await client.zrangebyscore(streamKeys(stream.name).members(group), since, '+inf')
  const users = members.length > 0 ? members : await sharedConsumers(client, stream, group)
  if (users.length === 0) return
  const message = `${group} of ${stream.name} is read by ${users.slice(0, 3).join(', ')}${users.length > 3 ? ' and others' : ''}; stop them first (a consumer that was killed counts for up to ${SILENT_MS / 1_000} s).`
  throw new SluiceError('GROUP_IN_USE', message, { stream: stream.name, group, members: users })
}

/** The consumers without order that were heard of lately; none in a group whose partitions have had owners. */
async function sharedConsumers(client: Redis, stream: Stream<unknown>, group: string): Promise<string[]> {
  const users = new Set<string>()
  for (const partition of partitionsOf(stream)) {
    const { entries, lease } = partitionKeys(stream.name, partition)
    const isThere = (await groupsOf(client, entries)).some(({ name }) => name === group)
    if (!isThere || (await client.exists(lease(group))) === 1) continue
    for (const row of (await client.xinfo('CONSUMERS', entries, group)) as unknown[]) {
      const { name, idle } = replyFacts(row)
      if (Number(idle) < SILENT_MS) users.add(String(name))
    }
  }
  return [...users]
}
