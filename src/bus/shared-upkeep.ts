// Without order nobody owns a partition: each consumer says what it works on, takes what silent ones hold, and hands
// back at its end what it has not begun.
import { isWrongType, type Redis, redisError, runScript } from '../redis/index.ts'
import { disturb, isNoGroup, isPassing } from './link.ts'
import { HAND_BACK, KEEP } from './scripts.ts'
import type { SharedReader } from './shared-reader.ts'
import { partitionKeys } from './stream.ts'

/** Tells the group that what is in work here is worked on. Waits for no room: a full consumer must say it as well. */
export async function keep<T>(shared: SharedReader<T>): Promise<void> {
  const { options, name, inWork, drop } = shared
  await forEachPartition(shared, async (client, partition) => {
    const mine = [...inWork.get(partition)!]
    if (mine.length === 0) return
    const { entries } = partitionKeys(options.stream.name, partition)
    const gone = (await runScript(client, KEEP, [entries], [options.group, name, ...mine])) as string[]
    for (const entry of gone) drop(partition, entry)
  })
}

/** Takes what silent consumers hold. */
export async function look<T>(shared: SharedReader<T>): Promise<void> {
  await forEachPartition(shared, async (client, partition) => {
    if (!shared.stopping.aborted) await takeSilent(shared, client, partition)
  })
}

async function forEachPartition<T>(
  { link, options, partitions }: SharedReader<T>,
  work: (client: Redis, partition: number) => Promise<void>,
): Promise<void> {
  try {
    for (const partition of partitions) await work(await link.writer(), partition)
  } catch (error) {
    if (!isPassing(error) && !isNoGroup(error) && !isWrongType(error)) throw redisError(error, link.url)
    disturb(link, `recovery of ${options.stream.name} for ${options.group}`, error)
  }
}

async function takeSilent<T>(shared: SharedReader<T>, client: Redis, partition: number): Promise<void> {
  const { link, options, name, visibilityMs, receive, room, pause, stopping } = shared
  const { stream, group, concurrency = 16 } = options
  const key = partitionKeys(stream.name, partition).entries
  let cursor = '0-0'
  do {
    await room()
    if (stopping.aborted || pause.isPaused()) return
    const args = [visibilityMs, cursor, 'COUNT', concurrency, 'JUSTID'] as const
    const reply = (await client.xautoclaim(key, group, name, ...args)) as [string, string[], string[]?]
    cursor = reply[0]
    const gone = reply[2]?.length ?? 0
    if (gone > 0) {
      const fact = { stream: stream.name, group, partition, count: gone }
      link.events.emit('lost', { ...fact, reason: 'deleted while it was pending' })
    }
    for (const id of reply[1]) {
      const held = await client.xpending(key, group, id, id, 1, name)
      const [raw] = await client.xrange(key, id, id)
      const begun = (held as [string, string, number, number][])[0]?.[3]
      // Acknowledged in the meantime by the consumer that was silent.
      if (begun === undefined) continue
      receive(partition, { raw: raw ?? [id, null], attempt: begun + 1, again: true })
    }
  } while (cursor !== '0-0')
}

/** At the end: what was not begun goes to others at once instead of after the visibility time-out. */
export async function handBack<T>({
  link,
  options,
  name,
  visibilityMs,
  partitions,
}: SharedReader<T>): Promise<void> {
  const { stream, group } = options
  try {
    const client = await link.writer()
    for (const partition of partitions) {
      const key = partitionKeys(stream.name, partition).entries
      await runScript(client, HAND_BACK, [key], [group, name, visibilityMs])
    }
  } catch (error) {
    disturb(link, `leaving ${stream.name} for ${group}`, error)
  }
}
