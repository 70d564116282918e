// Wake-ups over pub/sub: one subscriber connection for each server serves any number of watched channels. A message
// may be lost, so every wait also ends by itself; the confirmation of a subscription, also after a reconnect, counts
// as a message, because what one waits for may have come just before it.
import type { Clock } from '../kernel/index.ts'
import { closeRedis, connectRedis, type Redis } from './connect.ts'

export interface Bell {
  ring(): void
  /** Resolves when it has rung since the last call, after `ms`, or when the signal aborts. */
  next(ms: number, signal?: AbortSignal): Promise<void>
}

export interface Wake {
  /** Resolves at a message since the last call, after `ms`, or when the signal aborts. */
  next(ms: number, signal?: AbortSignal): Promise<void>
  /** How many of the servers have confirmed the subscription: what they send from then on is heard. */
  confirmed(): number
  close(): void
}

/** A message, or (without a text) the confirmation of the subscription by that server. */
export type Heard = (server: number, text: string | undefined) => void

export interface Wakes {
  /** `heard` is told everything that makes `next` resolve, in the order of its server. */
  watch(channel: string, heard?: Heard): Wake
  close(): Promise<void>
}

export interface WakeOptions {
  readonly urls: readonly string[]
  readonly clock: Clock
  /** Shown in CLIENT LIST. */
  readonly name: string
  readonly onError: (channel: string, server: number, error: unknown) => void
}

interface Channel {
  readonly watchers: Set<Heard>
  /** The servers whose subscription is confirmed on the present connection. */
  readonly confirmed: Set<number>
}

/** Connects at the first watch; who never waits costs no connection. */
export function openWakes({ urls, clock, name, onError }: WakeOptions): Wakes {
  const channels = new Map<string, Channel>()
  let clients: readonly Redis[] | undefined
  let closed = false

  const tell = (channel: string, server: number, text: string | undefined) => {
    // A watcher may close itself, or open another one, while it is told.
    for (const heard of [...(channels.get(channel)?.watchers ?? [])]) heard(server, text)
  }
  const report = (channel: string, server: number, error: unknown) => {
    // What close cuts off is no fault.
    if (!closed) onError(channel, server, error)
  }
  const subscribe = async (client: Redis, server: number, channel: string) => {
    try {
      await client.subscribe(channel)
      if (client.status !== 'ready') return
      channels.get(channel)?.confirmed.add(server)
      tell(channel, server, undefined)
    } catch (error) {
      report(channel, server, error)
    }
  }
  const connect = () =>
    urls.map((url, server) => {
      const onError = (error: Error) => {
        for (const channel of channels.keys()) report(channel, server, error)
      }
      const client = connectRedis(url, 'subscriber', { name, onError })
      client.on('message', (channel: string, text: string) => tell(channel, server, text))
      client.on('close', () => {
        for (const { confirmed } of channels.values()) confirmed.delete(server)
      })
      // Nothing subscribes again by itself (roles.ts).
      client.on('ready', () => {
        for (const channel of channels.keys()) void subscribe(client, server, channel)
      })
      return client
    })
  const open = (channel: string): Channel => {
    const opened: Channel = { watchers: new Set(), confirmed: new Set() }
    channels.set(channel, opened)
    clients ??= closed ? [] : connect()
    for (const [server, client] of clients.entries()) void subscribe(client, server, channel)
    return opened
  }
  const abandon = (channel: string) => {
    channels.delete(channel)
    for (const [server, client] of clients!.entries()) {
      client.unsubscribe(channel).catch((error: unknown) => report(channel, server, error))
    }
  }

  return {
    watch(channel, heard = () => {}) {
      const bell = openBell(clock)
      const mine: Heard = (server, text) => {
        heard(server, text)
        bell.ring()
      }
      const known = channels.get(channel)
      const { watchers, confirmed } = known ?? open(channel)
      watchers.add(mine)
      // What is confirmed already will not be confirmed again for this watcher.
      if (confirmed.size > 0) bell.ring()
      return {
        next: bell.next,
        confirmed: () => confirmed.size,
        close() {
          if (watchers.delete(mine) && watchers.size === 0) abandon(channel)
        },
      }
    },
    async close() {
      closed = true
      channels.clear()
      await Promise.all((clients ?? []).map(closeRedis))
    },
  }
}

/** A wait that others may end: rung before `next` is asked, it ends at once. */
export function openBell(clock: Clock): Bell {
  let rung = new AbortController()
  return {
    ring: () => rung.abort(),
    async next(ms, signal) {
      await clock.sleep(ms, signal ? AbortSignal.any([rung.signal, signal]) : rung.signal)
      if (rung.signal.aborted) rung = new AbortController()
    },
  }
}
