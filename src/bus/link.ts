// What every part of the bus works with: one writing connection, the clock, the emitter, and this process's name.
import { type Clock, isSluiceError, messageOf, randomId, SluiceError } from '../kernel/index.ts'
import {
  closeRedis,
  connectRedis,
  isElsewhere,
  isMistake,
  openWakes,
  type Redis,
  ready,
  redisError,
  type Wakes,
} from '../redis/index.ts'
import type { BusEmitter } from './events.ts'

// A publisher learns after this that the server is away.
const READY_MS = 5_000

export interface Link {
  readonly url: string
  /** host:pid:boot of this process. */
  readonly source: string
  readonly clock: Clock
  readonly events: BusEmitter
  /** Aborts when the bus is closed: whatever still runs ends at once. */
  readonly closing: AbortSignal
  /** The writing connection, once it is ready. Rejects with REDIS_UNAVAILABLE. */
  writer(): Promise<Redis>
  /** A connection of its own for what replicas must confirm: WAIT holds up everything behind it. */
  durable(): Promise<Redis>
  /** A connection of its own for one blocking reader; in a cluster to the node that owns `key`, when it is given. */
  reader(name: string, key?: string): Redis
  /** Wake-ups by channel, on one connection for all of them. */
  readonly wakes: Wakes
  close(): Promise<void>
}

export interface LinkOptions {
  readonly url: string
  readonly source: string
  readonly clock: Clock
  readonly events: BusEmitter
  readonly closing: AbortSignal
}

export function openLink({ url, source, clock, events, closing }: LinkOptions): Link {
  const onError = (where: string) => (error: Error) => disturb({ events }, where, error)
  const writer = openWriter(url, 'bus', onError('bus writer'))
  const durable = openWriter(url, 'bus-durable', onError('durable writer'))
  const wakes = openWakes({
    urls: [url],
    clock,
    name: 'bus-wakes',
    onError: (channel, _server, error) => disturb({ events }, channel, error),
  })
  return {
    url,
    source,
    clock,
    events,
    closing,
    writer: writer.ready,
    durable: durable.ready,
    reader: (name, key) =>
      connectRedis(url, 'reader', { name, onError: onError(name), ...(key === undefined ? {} : { key }) }),
    wakes,
    async close() {
      await Promise.all([writer.close(), durable.close(), wakes.close()])
    },
  }
}

function openWriter(url: string, name: string, onError: (error: Error) => void) {
  let opened: Redis | undefined
  let closed = false
  // Shared by all who wait: each wait of its own would be three more listeners on the client.
  let becomingReady: Promise<void> | undefined
  return {
    async ready(): Promise<Redis> {
      if (closed) throw new SluiceError('REDIS_UNAVAILABLE', 'The bus is closed.')
      opened ??= connectRedis(url, 'writer', { name, onError })
      if (opened.status === 'ready') return opened
      becomingReady ??= ready(opened, READY_MS).finally(() => {
        becomingReady = undefined
      })
      await becomingReady
      return opened
    },
    async close() {
      closed = true
      if (opened) await closeRedis(opened)
    },
  }
}

/** One consumer's name: unique for each consumer of each process start. */
export const consumerName = (link: Link): string => `${link.source}:${randomId().slice(0, 8)}`

// Redis 7 puts ERR in front of an answer of one word, Redis 6 does not.
export const isFenced = (error: unknown): boolean =>
  isSluiceError(error, 'OWNERSHIP_LOST') || /^(ERR )?FENCED\b/.test(messageOf(error))
export const isNoGroup = (error: unknown): boolean => /^(NOGROUP|UNBLOCKED)/.test(messageOf(error))

const PASSING = /^(LOADING|OOM|BUSY |READONLY|MASTERDOWN|TRYAGAIN|CLUSTERDOWN|MISCONF|NOREPLICAS|UNBLOCKED)/

/** True for what goes away by itself: the server is unreachable, loading, or out of memory for now. */
export function isPassing(error: unknown): boolean {
  if (isSluiceError(error)) return error.code === 'REDIS_UNAVAILABLE' || error.code === 'OVERLOADED'
  if (isMistake(error)) return false
  const isAnswer = error instanceof Error && error.name === 'ReplyError'
  return !isAnswer || isElsewhere(error) || PASSING.test(messageOf(error))
}

/** Says what failed and will be tried again. */
export function disturb(
  { events }: Pick<Link, 'events'>,
  where: string,
  error: unknown,
  passing = isPassing(error),
): void {
  const isCut = error instanceof Error && error.name === 'MaxRetriesPerRequestError'
  const reason = isCut ? 'the connection broke before the answer' : messageOf(error)
  events.emit('disturbed', { where, reason, passing })
}

/**
 * Runs a command until it is answered, waiting 50 ms to 1 s between tries while the server is away. Only for what
 * may safely be run twice. Rejects with what the server itself refuses; once the signal has aborted, with the first
 * failure of any kind.
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
      disturb(link, where, error)
      await link.clock.sleep(Math.min(50 * 2 ** attempt, 1_000), signal)
    }
  }
}

/**
 * The answer of `work`, or a rejection at the moment the signal aborts: what Redis still answers after that is of no
 * use, and a frozen server would hold the caller for the 5 s of its command.
 */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const end = () => reject(signal.reason)
  if (signal.aborted) throw signal.reason
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([work(), promise])
  } finally {
    signal.removeEventListener('abort', end)
  }
}
