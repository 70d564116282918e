// Hears drops on a connection of its own and knows whether it has heard all of them. A confirmed subscription is not
// enough: a half-open socket stays "ready" while messages vanish. Redis answers one connection in order, so every drop
// told before a question was asked has arrived before its answer; and the answer is epoch and sequence, which must be
// those of the last drop that was heard. Memory is served on such proof only. In a cluster a node that is no longer the
// one of the keys answers MOVED instead, and the client connects to the one that is.
import { type Clock, messageOf, repeat } from '../kernel/index.ts'
import { closeRedis, type Redis } from '../redis/index.ts'
import { type Drop, readTold } from './drops.ts'
import { DROPS, META } from './keys.ts'

export interface ListenerOptions {
  /** A subscriber connection that nobody else uses, to the node of the keys; made at the first need. */
  readonly connect: () => Redis
  readonly clock: Clock
  /** Pause between two proofs, ms. */
  readonly heartbeatMs: number
  /** How long a proof holds from the moment it was asked for, ms: the bound of staleness when the connection is dead. */
  readonly proofMs: number
  readonly onDrops: (drops: readonly Drop[]) => void
  /** Drops were missed, or belong to another epoch: whatever is held may be wrong. */
  readonly onGap: (why: 'sequence' | 'epoch' | 'malformed') => void
  /** The subscription was confirmed on a new connection: drops before this moment were not heard. */
  readonly onConfirmed: () => void
  readonly onLost: () => void
  readonly onError: (reason: string) => void
}

export interface Listener {
  /** Begins to connect, once. */
  start(): void
  /** True while every drop published more than `proofMs` ago is known to have arrived. */
  proven(now: number): boolean
  /** How long ago the last proof was asked for, ms; infinity without one. */
  proofAgeMs(now: number): number
  close(): Promise<void>
}

export function openListener(options: ListenerOptions): Listener {
  const stop = new AbortController()
  let client: Redis | undefined
  let line: Line | undefined
  const proofAgeMs = (now: number) => line?.proofAgeMs(now) ?? Number.POSITIVE_INFINITY
  return {
    start() {
      if (client || stop.signal.aborted) return
      client = options.connect()
      line = openLine(client, options)
      // A question that is never answered must not hold the loop, so it is asked and not awaited.
      void repeat(options.heartbeatMs, options.clock, line.ask)(stop.signal)
    },
    proven: (now) => proofAgeMs(now) <= options.proofMs,
    proofAgeMs,
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
  /** Infinity while the subscription is not confirmed. */
  proofAgeMs(now: number): number
  lose(): void
}

/** Follows one client through its connections. */
function openLine(client: Redis, options: ListenerOptions): Line {
  const { clock, proofMs } = options
  const heard = openHeard(options)
  /** Raised with every connection and every loss: an answer that belongs to an older one proves nothing. */
  let connection = 0
  let confirmed = false
  let provenAt = Number.NEGATIVE_INFINITY
  /** When the question that is still open was asked. */
  let askedAt: number | undefined

  /** Asks where the drops stand; undefined when the answer belongs to a connection that is no more. */
  async function ask(): Promise<Standing | undefined> {
    const mine = connection
    const asked = clock.monotonic()
    const from = heard.sequence()
    askedAt = asked
    try {
      const [epoch, sequence] = await client.hmget(META, 'epoch', 'sequence')
      if (mine !== connection) return undefined
      askedAt = undefined
      return { asked, from, epoch: epoch ?? '', sequence: Number(sequence ?? 0) }
    } catch (error) {
      // A question that failed has no answer to wait for: the connection is given up at the next beat.
      options.onError(messageOf(error))
      return undefined
    }
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
    const mine = connection
    askedAt = clock.monotonic()
    try {
      await client.subscribe(DROPS)
    } catch (error) {
      return options.onError(messageOf(error))
    }
    const standing = mine === connection ? await ask() : undefined
    if (!standing) return
    heard.startAt(standing)
    provenAt = standing.asked
    confirmed = true
    options.onConfirmed()
  }
  async function prove(): Promise<void> {
    const standing = await ask()
    if (!standing || !confirmed) return
    heard.mustBeAt(standing)
    provenAt = standing.asked
  }
  client.on('message', (from: string, text: string) => {
    if (from === DROPS && confirmed) heard.hear(text)
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
      } else if (confirmed) void prove()
    },
    proofAgeMs: (now) => (confirmed ? now - provenAt : Number.POSITIVE_INFINITY),
    lose,
  }
}

/** Where drops stood when it was asked, monotonic ms. */
interface Standing {
  readonly asked: number
  /** How far drops had been heard then. */
  readonly from: number
  readonly epoch: string
  readonly sequence: number
}

/** How far drops were heard. */
function openHeard({ onDrops, onGap }: ListenerOptions) {
  // Empty while Redis remembers none. The first one that is made then has told nothing yet, so nothing was missed.
  let epoch = ''
  let sequence = 0
  /** Moves on; answers what was missed by it, if anything. */
  const moveTo = (
    next: Pick<Standing, 'epoch' | 'sequence'>,
    expected: number,
  ): 'epoch' | 'sequence' | undefined => {
    const isKnown = next.epoch === epoch || epoch === ''
    const missed = isKnown ? (next.sequence === expected ? undefined : 'sequence') : 'epoch'
    epoch = next.epoch
    sequence = next.sequence
    return missed
  }
  return {
    sequence: () => sequence,
    startAt(standing: Standing): void {
      moveTo(standing, 0)
    },
    hear(text: string): void {
      const told = readTold(text)
      const missed = told ? moveTo(told, sequence + 1) : 'malformed'
      if (missed) onGap(missed)
      else onDrops(told!.drops)
    },
    mustBeAt(standing: Standing): void {
      // Drops that were told behind the answer are heard before it is looked at, when both arrive in one piece: 134
      // times in 11,000 drops, each of which emptied the memory.
      const isBehind = standing.from <= standing.sequence && standing.sequence <= sequence
      if (standing.epoch === epoch && isBehind) return
      const missed = moveTo(standing, sequence)
      if (missed) onGap(missed)
    },
  }
}
