// A bucket of tokens for each client: 100 at once, 10 more a second. One client that asks for everything must not
// slow down the others; the figures are those of the system that this API replaces.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../kernel/index.ts'
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

/**
 * Makes hooks for routes: they answer 429 with `retry-after` when a client's bucket holds less than the request costs.
 * @param costOf from 1 to 100 tokens; left out: 1
 */
export function openThrottle(clock: Clock): (costOf?: (request: FastifyRequest) => number) => Hook {
  const buckets = new Map<string, Bucket>()
  const take = (request: FastifyRequest, reply: FastifyReply, cost: number) => {
    const now = clock.monotonic()
    const seen = buckets.get(request.ip) ?? { tokens: TOKENS_MAX, at: now }
    const tokens = Math.min(TOKENS_MAX, seen.tokens + ((now - seen.at) / 1_000) * TOKENS_PER_SECOND)
    // Deleted first, so that the order of the map is the order of last use.
    buckets.delete(request.ip)
    buckets.set(request.ip, { tokens: tokens >= cost ? tokens - cost : tokens, at: now })
    if (buckets.size > CLIENTS_MAX) buckets.delete(buckets.keys().next().value!)
    if (tokens >= cost) return undefined
    reply.header('retry-after', String(Math.ceil((cost - tokens) / TOKENS_PER_SECOND)))
    const counted = cost > 1 ? `; this one counts as ${cost}` : ''
    const message = `Too many requests; allowed: ${TOKENS_MAX} at once and ${TOKENS_PER_SECOND} more a second${counted}.`
    return refuse(reply, 'REQUESTS_TOO_MANY', message)
  }
  return (costOf = () => 1) =>
    async (request, reply) =>
      take(request, reply, costOf(request))
}
