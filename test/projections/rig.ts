// What a reader of projections sees: every key with its type and content, but for what the writers keep beside them.
import { openWriter } from '../../src/projections/writer.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { startRedis } from '../support/redis.ts'

export interface Seen {
  readonly type: string
  readonly content: unknown
}

export async function openReader() {
  const server = await startRedis()
  const client = connectRedis(server.url, 'writer')
  await ready(client)
  return {
    server,
    client,
    writer: openWriter(async () => client),
    async close() {
      await closeRedis(client)
      await server.stop()
    },
  }
}

export async function keysOf(client: Redis): Promise<Record<string, Seen>> {
  const names = (await client.keys('*'))
    .filter((name) => !/^(projection:|lock:|\{|groups|members)/.test(name))
    .sort()
  const seen: Record<string, Seen> = {}
  for (const name of names) {
    const type = await client.type(name)
    if (type !== 'none') seen[name] = { type, content: await contentOf(client, name, type) }
  }
  return seen
}

async function contentOf(client: Redis, name: string, type: string): Promise<unknown> {
  if (type === 'string') return client.get(name)
  if (type === 'list') return client.lrange(name, 0, -1)
  if (type === 'hash') return Object.entries(await client.hgetall(name)).sort()
  if (type === 'zset') return client.zrange(name, '0', '-1', 'WITHSCORES')
  // Redis numbers the entries as they come.
  if (type === 'stream')
    return ((await client.xrange(name, '-', '+')) as [string, string[]][]).map(([, fields]) => fields)
  throw new Error(`${name} is a ${type}`)
}
