// What every part of the bus works with: one writing connection, the clock, the emitter, and this process's name.
import { randomUUID } from 'node:crypto'
import { type Clock, isSluiceError, messageOf } from '../kernel/index.ts'
import { closeRedis, connectRedis, type Redis, ready, redisError } from '../redis/index.ts'
import type { BusEmitter } from './events.ts'

export interface Link {
  readonly url: string
  /** host:pid:boot of this process. */
  readonly source: string
  readonly clock: Clock
  readonly events: BusEmitter
  /** The writing connection, once it is ready. Rejects with REDIS_UNAVAILABLE. */
  writer(): Promise<Redis>
  /** A connection of its own for one blocking reader. */
  reader(name: string): Redis
  close(): Promise<void>
}

export interface LinkOptions {
  readonly url: string
  readonly source: string
  readonly clock: Clock
  readonly events: BusEmitter
}

export function openLink({ url, source, clock, events }: LinkOptions): Link {
  const onError = (where: string) => (error: Error) => {
    events.emit('disturbed', { where, reason: messageOf(error) })
  }
  const client = connectRedis(url, 'writer', { name: 'bus', onError: onError('bus writer') })
  return {
    url,
    source,
    clock,
    events,
    async writer() {
      if (client.status !== 'ready') await ready(client, 5_000)
      return client
    },
    reader: (name) => connectRedis(url, 'reader', { name, onError: onError(name) }),
    close: () => closeRedis(client),
  }
}

/** One consumer's name: unique for each consumer of each process start. */
export const consumerName = (link: Link): string => `${link.source}:${randomUUID().slice(0, 8)}`

export const isFenced = (error: unknown): boolean => messageOf(error).startsWith('FENCED')
export const isNoGroup = (error: unknown): boolean => messageOf(error).startsWith('NOGROUP')

/** True for what goes away by itself: the server is unreachable, loading, or out of memory for now. */
export function isPassing(error: unknown): boolean {
  if (isSluiceError(error)) return error.code === 'REDIS_UNAVAILABLE' || error.code === 'OVERLOADED'
  const name = error instanceof Error ? error.name : ''
  return (
    name !== 'ReplyError' ||
    /^(LOADING|OOM|BUSY|READONLY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN)/.test(messageOf(error))
  )
}

/**
 * Runs a command until it is answered, waiting 50 ms to 1 s between tries while the server is away. Only for what
 * may safely be run twice. Rejects at once with what the server itself refuses, and when the signal aborts.
 */
export async function insist<T>(
  link: Link,
  where: string,
  signal: AbortSignal,
  command: (client: Redis) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await command(await link.writer())
    } catch (error) {
      if (!isPassing(error) || signal.aborted) throw redisError(error, link.url)
      link.events.emit('disturbed', { where, reason: messageOf(error) })
      await link.clock.sleep(Math.min(50 * 2 ** attempt, 1_000), signal)
    }
  }
}
