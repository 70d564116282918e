// The read that waits for what is new to a group, in any of several streams.
import type { Redis } from '../redis/index.ts'
import type { RawEntry } from './codec.ts'
import { entriesByKey } from './reply.ts'

export interface GroupRead {
  readonly group: string
  readonly consumer: string
  readonly keys: readonly string[]
  /** At most so many of each stream. */
  readonly count: number
  readonly blockMs: number
}

export async function readGroup(
  reader: Redis,
  { group, consumer, keys, count, blockMs }: GroupRead,
): Promise<[key: string, entries: RawEntry[]][]> {
  const streams = [...keys, ...keys.map(() => '>')] as unknown as ['STREAMS', ...string[]]
  const args = ['COUNT', count, 'BLOCK', blockMs, 'STREAMS'] as const
  return entriesByKey(await reader.xreadgroup('GROUP', group, consumer, ...args, ...streams))
}
