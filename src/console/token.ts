// Who may change something: whoever sends the token of CONSOLE_TOKEN. A browser cannot be made to send it by another
// page: the header and the JSON body both need a leave (CORS) that is never given.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../kernel/index.ts'
import { refusal, refuse } from './refusals.ts'

/** Refuses, or answers undefined for a request that may go on. Nothing of its body has been read by then. */
export function demandToken(
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
  log: Logger,
): FastifyReply | undefined {
  if (token === '') {
    return refuse(
      reply,
      'CHANGES_REFUSED',
      'The console changes nothing unless the gateway is started with CONSOLE_TOKEN (16 characters or more). ' +
        'The command line can: sluice dlq, sluice groups, sluice partitions.',
    )
  }
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  if (!isSame(given, token)) {
    log.warn({ who: request.ip, path: request.url }, 'a change without the right token was refused')
    reply.header('www-authenticate', 'Bearer')
    const message =
      'A change needs the header "Authorization: Bearer <token>" with the token of CONSOLE_TOKEN.'
    return refuse(reply, 'TOKEN_REFUSED', message)
  }
  if (/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? '')) return undefined
  const message = 'The body of a change is JSON: send the header "Content-Type: application/json".'
  return reply.status(415).send(refusal('REQUEST_INVALID', message))
}

/** Takes the same time wherever two texts differ, and whatever their lengths. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
