// Hears drops on a connection of its own and knows whether it would hear one. A confirmed subscription is not
// enough: a half-open socket stays "ready" while messages vanish. Redis answers one connection in order, so the answer
// to a question proves that every drop published there before it was asked has arrived; memory is served on such proof
// only. The question names the channel like a key: in a cluster a node that is no longer the one where drops are
// published answers MOVED instead, and the client connects to the one that is.
import { type Clock, messageOf, repeat } from '../kernel/index.ts'
import { closeRedis, type Redis } from '../redis/index.ts'

export interface ListenerOptions {
  /** A subscriber connection that nobody else uses, to the node of the channel; made at the first need. */
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
  const stop = new AbortController()
  let client: Redis | undefined
  let line: Line | undefined
  return {
    start() {
      if (client || stop.signal.aborted) return
      client = options.connect()
      line = openLine(client, options)
      // A question that is never answered must not hold the loop, so it is asked and not awaited.
      void repeat(options.heartbeatMs, options.clock, line.ask)(stop.signal)
    },
    proven: () => line?.proven() ?? false,
    async close() {
      stop.abort()
      line?.lose()
      if (client) await closeRedis(client)
    },
  }
}

interface Line {
  /** Asks for the next proof; ends a connection that owes one for too long. */
  ask(): void
  proven(): boolean
  lose(): void
}

/** Follows one client through its connections. */
function openLine(client: Redis, options: ListenerOptions): Line {
  const { channel, clock, proofMs } = options
  /** Raised with every connection and every loss: an answer that belongs to an older one proves nothing. */
  let connection = 0
  let confirmed = false
  let provenAt = Number.NEGATIVE_INFINITY
  /** When the question that is still open was asked. */
  let askedAt: number | undefined

  /** True when the answer came, and on the connection that was asked. */
  async function answers(question: () => Promise<unknown>): Promise<boolean> {
    const mine = connection
    const asked = clock.monotonic()
    askedAt = asked
    try {
      await question()
    } catch (error) {
      options.onError(messageOf(error))
      // A question that failed has no answer to wait for: the connection is given up at the next beat.
      return false
    }
    if (mine !== connection) return false
    askedAt = undefined
    provenAt = asked
    return true
  }
  function lose(): void {
    connection++
    askedAt = undefined
    if (!confirmed) return
    confirmed = false
    options.onLost()
  }
  async function confirm(): Promise<void> {
    connection++
    if (!(await answers(() => client.subscribe(channel)))) return
    confirmed = true
    options.onConfirmed()
  }
  client.on('message', (from: string, text: string) => {
    if (from === channel) options.onMessage(text)
  })
  client.on('ready', () => void confirm())
  client.on('close', lose)
  if (client.status === 'ready') void confirm()
  else if (client.status === 'wait') client.connect().catch((error) => options.onError(messageOf(error)))
  return {
    ask() {
      // TCP would need minutes to notice a peer that is gone; a new connection needs a round trip.
      if (askedAt !== undefined) {
        if (clock.monotonic() - askedAt > proofMs) client.disconnect(true)
      } else if (confirmed) void answers(() => client.exists(channel))
    },
    proven: () => confirmed && clock.monotonic() - provenAt <= proofMs,
    lose,
  }
}
