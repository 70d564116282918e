// What a person does to a whole group: let it stand still, let it go on, let it read again from a place.
import { SluiceError } from '../kernel/index.ts'
import { type Redis, redisError, runScript } from '../redis/index.ts'
import type { SeekPlace, SeekTarget } from './bus.ts'
import { compareIds } from './codec.ts'
import { SEEK } from './control-scripts.ts'
import { countBehind } from './count-behind.ts'
import { groupsOf } from './groups.ts'
import { isNoGroup, type Link } from './link.ts'
import { idBefore } from './seek-place.ts'
import { partitionKeys, partitionsOf, type Stream, streamKeys } from './stream.ts'

// Entries that one call counts: longer ones would hold up everybody else.
const COUNT_MAX = 2_000

/** False when it was paused already. */
export async function pauseGroup(link: Link, stream: Stream<unknown>, group: string): Promise<boolean> {
  return withClient(link, async (client) => {
    await demandGroup(client, stream, group)
    return (await client.hsetnx(streamKeys(stream.name).paused, group, link.clock.now())) === 1
  })
}

/** False when it was not paused. */
export async function resumeGroup(link: Link, stream: Stream<unknown>, group: string): Promise<boolean> {
  return withClient(link, async (client) => {
    await demandGroup(client, stream, group)
    return (await client.hdel(streamKeys(stream.name).paused, group)) === 1
  })
}

export async function pausedGroups(client: Redis, stream: Stream<unknown>): Promise<ReadonlySet<string>> {
  return new Set(await client.hkeys(streamKeys(stream.name).paused))
}

export async function seekGroup(
  link: Link,
  stream: Stream<unknown>,
  group: string,
  to: SeekTarget,
): Promise<SeekPlace[]> {
  return withClient(link, async (client) => {
    const plans = await planOf(client, stream, group, to)
    const after = idBefore(to)
    await Promise.all(
      plans.map(({ place: { partition }, read }) => {
        const keys = partitionKeys(stream.name, partition)
        return runScript(
          client,
          SEEK,
          [keys.lease(group), keys.entries, keys.checkpoint(group), keys.meta],
          [group, after, read, keys.gate(group, '')],
        )
      }),
    )
    return plans.map(({ place }) => place)
  })
}

export async function previewSeek(
  link: Link,
  stream: Stream<unknown>,
  group: string,
  to: SeekTarget,
): Promise<SeekPlace[]> {
  return withClient(link, async (client) =>
    (await planOf(client, stream, group, to)).map(({ place }) => place),
  )
}

/** Throws GROUP_UNKNOWN for a group that neither is registered nor exists, naming those that do. */
export async function demandGroup(client: Redis, stream: Stream<unknown>, group: string): Promise<void> {
  const names = streamKeys(stream.name)
  if ((await client.sismember(names.groups, group)) === 1) return
  const known = new Set(await client.smembers(names.groups))
  for (const partition of partitionsOf(stream)) {
    const { entries } = partitionKeys(stream.name, partition)
    for (const { name } of await groupsOf(client, entries)) known.add(name)
  }
  if (known.has(group)) return
  const allowed = known.size > 0 ? `allowed: ${[...known].sort().join(', ')}` : 'nobody has read it yet'
  const message = `${stream.name} has no group ${JSON.stringify(group.slice(0, 60))}; ${allowed}.`
  throw new SluiceError('GROUP_UNKNOWN', message, { stream: stream.name, known: [...known] })
}

interface Plan {
  readonly place: SeekPlace
  /** Entries in front of the place, for Redis's own count; '' where it has none. */
  readonly read: number | ''
}

async function planOf(
  client: Redis,
  stream: Stream<unknown>,
  group: string,
  to: SeekTarget,
): Promise<Plan[]> {
  await demandGroup(client, stream, group)
  const plans = partitionsOf(stream).map((partition) => planPartition(client, stream, group, partition, to))
  return Promise.all(plans)
}

async function planPartition(
  client: Redis,
  stream: Stream<unknown>,
  group: string,
  partition: number,
  to: SeekTarget,
): Promise<Plan> {
  const { entries } = partitionKeys(stream.name, partition)
  const after = idBefore(to)
  const { first, count, added } =
    after === '$'
      ? { first: '', count: 0, added: '' as const }
      : await countBehind(client, entries, after, '+')
  const known = (await groupsOf(client, entries)).find(({ name }) => name === group)
  let skipped = 0
  if (known) {
    const until = after === '$' ? '+' : after
    skipped = await countHeld(client, entries, group, until)
    if (until === '+' || compareIds(known.delivered, until) < 0) {
      skipped += (await countBehind(client, entries, known.delivered, until)).count
    }
  }
  return { place: { partition, entry: first, count, skipped }, read: added === '' ? '' : added - count }
}

/** Entries up to an id that the group was given and has not acknowledged. */
async function countHeld(client: Redis, entries: string, group: string, until: string): Promise<number> {
  for (let count = 0, from = '-'; ; ) {
    const held = (await client.xpending(entries, group, from, until, COUNT_MAX)) as [string][]
    count += held.length
    if (held.length < COUNT_MAX) return count
    from = `(${held.at(-1)![0]}`
  }
}

async function withClient<T>(link: Link, work: (client: Redis) => Promise<T>): Promise<T> {
  try {
    return await work(await link.writer())
  } catch (error) {
    if (isNoGroup(error)) {
      const message = 'The group vanished in this moment; its consumers make it again. Try once more.'
      throw new SluiceError('GROUP_UNKNOWN', message, {}, error)
    }
    throw redisError(error, link.url)
  }
}
