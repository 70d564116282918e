// Trimming takes only what every registered group has acknowledged. MAXLEN would drop what nobody has read yet.
import { runScript } from '../redis/index.ts'
import { groupsOf } from './groups.ts'
import type { Link } from './link.ts'
import { partitionKeys, partitionsOf, type Stream, streamKeys } from './stream.ts'
import { FORGET_CONSUMERS, TRIM } from './upkeep-scripts.ts'

// Each process start makes a consumer name of its own; names that hold nothing are forgotten after this.
const CONSUMER_IDLE_MS = 600_000

/** Returns how many entries were removed. */
export async function trimStream(link: Link, stream: Stream<unknown>): Promise<number> {
  const client = await link.writer()
  const names = streamKeys(stream.name)
  const groups = await client.smembers(names.groups)
  let removed = 0
  for (const partition of partitionsOf(stream)) {
    const keys = partitionKeys(stream.name, partition)
    // A group that exists counts also when a flushed server has forgotten that it is registered.
    const existing = (await groupsOf(client, keys.entries)).map(({ name }) => name)
    const all = [...new Set([...groups, ...existing])]
    const checkpoints = all.map((group) => keys.checkpoint(group))
    const args = [stream.retentionMs, stream.maxEntries, ...all]
    const count = Number(await runScript(client, TRIM, [keys.entries, ...checkpoints], args))
    if (count > 0) link.events.emit('trimmed', { stream: stream.name, partition, count })
    removed += count
  }
  await forgetConsumers(link, stream, groups)
  return removed
}

async function forgetConsumers(
  link: Link,
  stream: Stream<unknown>,
  groups: readonly string[],
): Promise<void> {
  const client = await link.writer()
  for (const group of groups) {
    const living = await client.zrange(streamKeys(stream.name).members(group), '0', '-1')
    for (const partition of partitionsOf(stream)) {
      const { entries } = partitionKeys(stream.name, partition)
      if ((await client.exists(entries)) === 0) continue
      await runScript(client, FORGET_CONSUMERS, [entries], [group, CONSUMER_IDLE_MS, ...living]).catch(
        (error) => {
          // The group may not exist in this partition yet.
          if (!String(error).includes('NOGROUP')) throw error
        },
      )
    }
  }
}
