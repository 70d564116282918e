// What the contestants of bench/bus.ts share: one server, their clients, and messages of 200 bytes.
import { z } from 'zod'
import { defineStream, type OpenBus, openBus, outgoing, type Stream } from '../src/bus/index.ts'
import { systemClock } from '../src/kernel/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../src/redis/index.ts'
import { startRedis } from '../test/support/redis.ts'

export const MESSAGES = 20_000
export const BATCH = 500
const PUBLISHERS = 4
const KEYS = 64

export interface Payload {
  readonly key: string
  readonly n: number
  readonly text: string
}

export const payload = (n: number): Payload => {
  const key = `k${n % KEYS}`
  const bare = JSON.stringify({ key, n, text: '' }).length
  return { key, n, text: 'x'.repeat(200 - bare) }
}

export interface Stage {
  readonly url: string
  readonly bus: OpenBus
  readonly client: Redis
  /** For blocking reads. */
  readonly reader: Redis
  /** A new stream of ours. */
  stream(partitions: number): Stream<Payload>
  /** A new key for the bare commands. */
  key(): string
  events(stream: Stream<Payload>, count: number): ReturnType<typeof outgoing>[]
  empty(): Promise<unknown>
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  const server = await startRedis(['--appendfsync', 'everysec'])
  const { url } = server
  const bus = openBus({ url, clock: systemClock })
  const client = connectRedis(url, 'writer')
  const reader = connectRedis(url, 'reader')
  await Promise.all([ready(client), ready(reader)])
  let names = 0
  let ids = 0
  return {
    ...{ url, bus, client, reader },
    stream: (partitions) =>
      defineStream({
        name: `bench${names++}`,
        about: 'a benchmark',
        shape: z.object({ key: z.string(), n: z.number().int(), text: z.string() }),
        key: (data) => data.key,
        partitions,
        maxEntries: 10_000_000,
      }),
    key: () => `raw${names++}`,
    events: (stream, count) =>
      Array.from({ length: count }, (_, n) => outgoing(stream, `event-${ids++}`, payload(n))),
    empty: () => client.flushall(),
    async close() {
      await bus.close()
      await Promise.all([closeRedis(client), closeRedis(reader)])
      await server.stop()
    },
  }
}

/** Several publishers share the list; each waits for its batch before it takes the next. */
export async function inBatches<T>(
  list: readonly T[],
  send: (batch: readonly T[]) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const publisher = async () => {
    while (next < list.length) {
      const from = next
      next += BATCH
      await send(list.slice(from, from + BATCH))
    }
  }
  await Promise.all(Array.from({ length: PUBLISHERS }, publisher))
}

type Entries = [key: string, entries: [id: string, fields: string[]][]][]

export async function readGroup(reader: Redis, keys: readonly string[]): Promise<Entries> {
  const args = ['COUNT', 100, 'BLOCK', 2_000, 'STREAMS', ...keys, ...keys.map(() => '>')]
  const reply: unknown = await reader.xreadgroup(
    'GROUP',
    'g',
    'c',
    ...(args as unknown as ['STREAMS', ...string[]]),
  )
  if (reply === null) return []
  return Array.isArray(reply) ? reply : (Object.entries(reply as object) as Entries)
}
