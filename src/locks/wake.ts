// Wakes those who wait for a lock when it is released. A message may be lost, so every wait also ends by itself;
// the subscription's confirmation counts as a message, because the release may have come just before it.
import { type Clock, messageOf } from '../kernel/index.ts'
import { closeRedis, connectRedis, type Redis } from '../redis/index.ts'

export interface Wake {
  /** Resolves at a message since the last call, after `ms`, or when the signal aborts. */
  next(ms: number, signal: AbortSignal | undefined): Promise<void>
  close(): void
}

export interface Wakes {
  watch(channel: string): Wake
  close(): Promise<void>
}

export interface WakeOptions {
  readonly urls: readonly string[]
  readonly clock: Clock
  readonly onError: (channel: string, server: number, reason: string) => void
}

/** Connects at the first wait; holders that never wait cost no connection. */
export function openWakes({ urls, clock, onError }: WakeOptions): Wakes {
  const waiting = new Map<string, Set<() => void>>()
  let clients: readonly Redis[] | undefined

  const ring = (channel: string) => {
    for (const wake of waiting.get(channel) ?? []) wake()
  }
  const connect = () =>
    urls.map((url) => {
      const client = connectRedis(url, 'subscriber', { name: 'lock-wakes' })
      client.on('message', ring)
      return client
    })
  const onEach = (channel: string, act: (client: Redis) => Promise<unknown>, then: () => void) => {
    clients ??= connect()
    for (const [server, client] of clients.entries()) {
      act(client).then(then, (error: unknown) => onError(channel, server, messageOf(error)))
    }
  }

  return {
    watch(channel) {
      const mine = openWake(clock, () => {
        const others = waiting.get(channel)
        others?.delete(mine.ring)
        if (others?.size !== 0) return
        waiting.delete(channel)
        onEach(
          channel,
          (client) => client.unsubscribe(channel),
          () => {},
        )
      })
      const all = waiting.get(channel) ?? new Set()
      waiting.set(channel, all.add(mine.ring))
      onEach(
        channel,
        (client) => client.subscribe(channel),
        () => mine.ring(),
      )
      return mine
    },
    async close() {
      await Promise.all((clients ?? []).map(closeRedis))
    },
  }
}

function openWake(clock: Clock, onClose: () => void): Wake & { ring(): void } {
  let rung = new AbortController()
  return {
    ring: () => rung.abort(),
    async next(ms, signal) {
      await clock.sleep(ms, signal ? AbortSignal.any([rung.signal, signal]) : rung.signal)
      if (rung.signal.aborted) rung = new AbortController()
    },
    close: onClose,
  }
}
