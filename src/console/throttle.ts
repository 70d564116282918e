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

/** A hook for routes: answers 429 with `retry-after` when a client's bucket is empty. */
export function openThrottle(clock: Clock) {
  const buckets = new Map<string, Bucket>()
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const now = clock.monotonic()
    const seen = buckets.get(request.ip) ?? { tokens: TOKENS_MAX, at: now }
    const tokens = Math.min(TOKENS_MAX, seen.tokens + ((now - seen.at) / 1_000) * TOKENS_PER_SECOND)
    // Deleted first, so that the order of the map is the order of last use.
    buckets.delete(request.ip)
    buckets.set(request.ip, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now })
    if (buckets.size > CLIENTS_MAX) buckets.delete(buckets.keys().next().value!)
    if (tokens >= 1) return undefined
    reply.header('retry-after', String(Math.ceil((1 - tokens) / TOKENS_PER_SECOND)))
    const message = `Too many requests; allowed: ${TOKENS_MAX} at once and ${TOKENS_PER_SECOND} more a second.`
    return refuse(reply, 'REQUESTS_TOO_MANY', message)
  }
}
