// A bucket of tokens for each client: 100 at once, 10 more a second. One client that asks for everything must not
// slow down the others; the figures are those of the system that this API replaces.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Clock, SluiceError } from '../kernel/index.ts'
import { refuse } from './refusals.ts'

const TOKENS_MAX = 100
const TOKENS_PER_SECOND = 10
// A full bucket says nothing, so the longest silent client may be forgotten.
const CLIENTS_MAX = 10_000

interface Bucket {
  tokens: number
  at: number
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

export interface Throttle {
  /**
   * A hook for routes: it answers 429 with `retry-after` when a client's bucket holds less than the request costs.
   * @param costOf from 1 to 100 tokens; left out: 1
   */
  before(costOf?: (request: FastifyRequest) => number): Hook
  /** For what nobody could know before: the bucket may come to owe it, and nothing is answered while it does. */
  charge(request: FastifyRequest, cost: number): void
  /** Throws REQUESTS_TOO_MANY, with `retry-after`, while the client owes something. */
  demandPaid(reply: FastifyReply): void
}

export function openThrottle(clock: Clock): Throttle {
  const buckets = new Map<string, Bucket>()
  const tokensOf = ({ ip }: FastifyRequest) => {
    const now = clock.monotonic()
    const seen = buckets.get(ip) ?? { tokens: TOKENS_MAX, at: now }
    return Math.min(TOKENS_MAX, seen.tokens + ((now - seen.at) / 1_000) * TOKENS_PER_SECOND)
  }
  const keep = ({ ip }: FastifyRequest, tokens: number) => {
    // Deleted first, so that the order of the map is the order of last use.
    buckets.delete(ip)
    buckets.set(ip, { tokens, at: clock.monotonic() })
    if (buckets.size > CLIENTS_MAX) buckets.delete(buckets.keys().next().value!)
  }
  return {
    before:
      (costOf = () => 1) =>
      async (request, reply) => {
        const cost = costOf(request)
        const tokens = tokensOf(request)
        keep(request, tokens >= cost ? tokens - cost : tokens)
        if (tokens >= cost) return undefined
        reply.header('retry-after', waitS(cost - tokens))
        return refuse(reply, 'REQUESTS_TOO_MANY', tooMany(cost > 1 ? `; this one counts as ${cost}` : ''))
      },
    charge: (request, cost) => keep(request, tokensOf(request) - cost),
    demandPaid(reply) {
      const tokens = tokensOf(reply.request)
      if (tokens >= 0) return
      reply.header('retry-after', waitS(1 - tokens))
      throw new SluiceError('REQUESTS_TOO_MANY', tooMany('; a long answer counts as several'))
    },
  }
}

const waitS = (tokens: number) => String(Math.ceil(tokens / TOKENS_PER_SECOND))

const tooMany = (counted: string) =>
  `Too many requests; allowed: ${TOKENS_MAX} at once and ${TOKENS_PER_SECOND} more a second${counted}.`
