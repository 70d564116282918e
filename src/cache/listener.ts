// Hears drops on a connection of its own and knows whether it would hear one. A confirmed subscription is not
// enough: a half-open socket stays "ready" while messages vanish. Redis answers one connection in order, so a PONG
// proves that every drop published before its PING was sent has arrived; memory is served on such proof only.
import { type Clock, messageOf, repeat } from '../kernel/index.ts'
import { closeRedis, type Redis } from '../redis/index.ts'

export interface ListenerOptions {
  /** A subscriber connection that nobody else uses; made at the first need. */
  readonly connect: () => Redis
  readonly channel: string
  readonly clock: Clock
  /** Pause between two proofs, ms. */
  readonly heartbeatMs: number
  /** How long a proof holds from the moment it was asked for, ms: the bound of staleness when messages vanish. */
  readonly proofMs: number
  readonly onMessage: (message: string) => void
  /** The subscription was confirmed on a new connection: drops before this moment were not heard. */
  readonly onConfirmed: () => void
  readonly onLost: () => void
  readonly onError: (reason: string) => void
}

export interface Listener {
  /** Begins to connect, once. */
  start(): void
  /** True while every drop published more than `proofMs` ago is known to have arrived. */
  proven(): boolean
  close(): Promise<void>
}

export function openListener(options: ListenerOptions): Listener {
  const { channel, clock, heartbeatMs, proofMs } = options
  const stop = new AbortController()
  let client: Redis | undefined
  /** Raised with every connection and every loss: an answer that belongs to an older one proves nothing. */
  let connection = 0
  let confirmed = false
  let provenAt = Number.NEGATIVE_INFINITY
  let asking = false

  const lose = () => {
    connection++
    asking = false
    if (!confirmed) return
    confirmed = false
    options.onLost()
  }
  const confirm = async (on: Redis) => {
    const mine = ++connection
    const askedAt = clock.monotonic()
    try {
      await on.subscribe(channel)
    } catch (error) {
      // Without a subscription the connection is of no use: begin again rather than stay deaf.
      if (mine === connection) on.disconnect(true)
      return options.onError(messageOf(error))
    }
    if (mine !== connection || stop.signal.aborted) return
    confirmed = true
    provenAt = askedAt
    options.onConfirmed()
  }
  const prove = async () => {
    if (!client || !confirmed) return
    const mine = connection
    const askedAt = clock.monotonic()
    if (asking) {
      // The PONG is overdue. TCP would need minutes to notice; a new connection needs one round trip.
      if (askedAt - provenAt > proofMs + heartbeatMs) client.disconnect(true)
      return
    }
    asking = true
    try {
      await client.ping()
      if (mine === connection) provenAt = askedAt
    } catch (error) {
      options.onError(messageOf(error))
    } finally {
      if (mine === connection) asking = false
    }
  }
  return {
    start() {
      if (client || stop.signal.aborted) return
      const on = options.connect()
      client = on
      on.on('message', (from: string, text: string) => {
        if (from === channel) options.onMessage(text)
      })
      on.on('ready', () => void confirm(on))
      on.on('close', lose)
      if (on.status === 'wait') on.connect().catch((error) => options.onError(messageOf(error)))
      else if (on.status === 'ready') void confirm(on)
      // Not awaited anywhere: a PING that never answers must not hold the loop, so `prove` is started, not awaited.
      void repeat(heartbeatMs, clock, () => void prove())(stop.signal)
    },
    proven: () => confirmed && clock.monotonic() - provenAt <= proofMs,
    async close() {
      stop.abort()
      lose()
      if (client) await closeRedis(client)
    },
  }
}
