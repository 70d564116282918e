// The caches that the race runs against: ours, what one writes by hand with get, set, del and a channel, and a library.
import { z } from 'zod'
import { defineView, dropKey, dropTag, openViews } from '../../src/cache/index.ts'
import type { Clock } from '../../src/kernel/index.ts'
import { connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { openBentocache } from './bentocache.ts'

export const CACHES = ['sluice', 'plain', 'bentocache'] as const
export type CacheName = (typeof CACHES)[number]

export const HEARTBEAT_MS = 200
/** Short, so that a loader can be paused beyond it. */
export const LEASE_MS = 500

export interface RaceCache {
  get(key: string, load: () => Promise<number>): Promise<number>
  /** Tells that the source has changed. Rejects when it could not be told. */
  changed(key: string): Promise<void>
}

export interface CacheOptions {
  readonly url: string
  readonly clock: Clock
  /** True while a message that arrives is lost. */
  readonly loses: () => boolean
  /** Of the cache to import: ours, or a copy without one of its rules. */
  readonly index: string | undefined
}

export const openCache = (name: CacheName, options: CacheOptions): Promise<RaceCache> =>
  ({ sluice: openSluice, plain: openPlain, bentocache: openBentocache })[name](options)

async function openSluice({ url, clock, loses, index }: CacheOptions): Promise<RaceCache> {
  const { openViews: open } = index
    ? ((await import(index)) as { openViews: typeof openViews })
    : { openViews }
  const versions = defineView<[key: string], number>({
    name: 'versions',
    about: 'A number that only grows.',
    shape: z.number(),
    parts: ['key'],
    lifetimeMs: 60_000,
    tags: ([key]) => [`tag.${key}`],
  })
  const views = open({
    connect: (role) => losing(connectRedis(url, role), role === 'subscriber' ? loses : () => false),
    ...{ clock, heartbeatMs: HEARTBEAT_MS, proofMs: HEARTBEAT_MS + 100, leaseMs: LEASE_MS, loadMs: 10_000 },
  })
  return {
    get: (key, load) => views.get(versions, [key], load),
    // By its key and by its tag in turns.
    changed: (key) =>
      Number(key.slice(1)) % 2 === 0
        ? views.drop([dropKey(versions, [key])])
        : views.drop([dropTag(`tag.${key}`)]),
  }
}

/** A map in each process, values in Redis, and a message for each change: what most systems have. */
async function openPlain({ url, loses }: CacheOptions): Promise<RaceCache> {
  const client = connectRedis(url, 'cache')
  const subscriber = losing(connectRedis(url, 'subscriber'), loses)
  const memory = new Map<string, { value: number; until: number }>()
  subscriber.on('ready', () => void subscriber.subscribe('changed').catch(() => {}))
  subscriber.on('message', (_, key: string) => memory.delete(key))
  await Promise.all([ready(client), ready(subscriber)])
  const keep = (key: string, value: number) => {
    memory.set(key, { value, until: performance.now() + 60_000 })
    return value
  }
  return {
    async get(key, load) {
      const found = memory.get(key)
      if (found && found.until > performance.now()) return found.value
      const stored = await client.get(key).catch(() => null)
      if (stored !== null) return keep(key, Number(stored))
      const value = await load()
      await client.set(key, value, 'PX', 60_000).catch(() => null)
      return keep(key, value)
    },
    async changed(key) {
      await client.del(key)
      memory.delete(key)
      await client.publish('changed', key)
    },
  }
}

/** Messages vanish on their way to whoever listens. */
function losing(client: Redis, loses: () => boolean): Redis {
  const emit = client.emit.bind(client)
  client.emit = ((event: string, ...values: unknown[]) =>
    event === 'message' && loses() ? false : emit(event, ...values)) as typeof client.emit
  return client
}
