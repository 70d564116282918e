// Answers that their readers have not taken yet lie in memory, 12 MB for 50,000 ticks. So one client gets no further
// one while much of it is unread, nobody while there is very much, and who takes nothing is cut off.
import { Buffer } from 'node:buffer'
import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { afterMs } from '../kernel/index.ts'
import { refuse } from './refusals.ts'

export interface UnreadLimits {
  /** Bytes of one client, and of all, beyond which nothing more is read for them. */
  readonly ofOne: number
  readonly ofAll: number
  /** An answer has so long, ms, */
  readonly graceMs: number
  /** and a second more for so many bytes. */
  readonly bytesPerSecond: number
}

export const UNREAD_LIMITS: UnreadLimits = {
  ofOne: 32_000_000,
  ofAll: 256_000_000,
  graceMs: 30_000,
  // Slower than any line that somebody would fetch history over.
  bytesPerSecond: 50_000,
}
// What is less fits into the buffers of the system.
const COUNTED_FROM = 64_000

/** Hooks for the routes with long answers. */
export function openUnread(
  limits: UnreadLimits = UNREAD_LIMITS,
): Required<Pick<RouteShorthandOptions, 'preHandler' | 'onSend'>> {
  const unread = new Map<string, number>()
  let all = 0
  const count = (client: string, bytes: number) => {
    all += bytes
    const rest = (unread.get(client) ?? 0) + bytes
    if (rest === 0) unread.delete(client)
    else unread.set(client, rest)
  }
  return {
    preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
      const own = unread.get(request.ip) ?? 0
      if (own < limits.ofOne && all < limits.ofAll) return undefined
      reply.header('retry-after', '5')
      if (own >= limits.ofOne) {
        const message = `${own} bytes of earlier answers wait to be read; allowed: ${limits.ofOne} before the next one.`
        return refuse(reply, 'REQUESTS_TOO_MANY', message)
      }
      return refuse(reply, 'ANSWER_LATE', 'Too many answers wait to be read by others.')
    },
    onSend: async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
      const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0
      // Who has given up meanwhile takes nothing, and its end is not told a second time: it was counted for ever.
      if (bytes < COUNTED_FROM || reply.raw.destroyed) return payload
      const { ip } = request
      count(ip, bytes)
      const ms = limits.graceMs + (bytes / limits.bytesPerSecond) * 1_000
      const cancel = afterMs(ms, () => reply.raw.destroy())
      reply.raw.once('close', () => {
        cancel()
        count(ip, -bytes)
      })
      return payload
    },
  }
}
