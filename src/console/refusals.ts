// Every answer that is not the asked-for one: JSON with a stable code and a sentence, and never a stack.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type ErrorCode, isSluiceError, type Logger, messageOf, type SluiceError } from '../kernel/index.ts'

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  ROUTE_UNKNOWN: 404,
  METHOD_REFUSED: 405,
  CHANGES_REFUSED: 403,
  TOKEN_REFUSED: 401,
  GROUP_UNKNOWN: 404,
  DEAD_LETTER_UNKNOWN: 404,
  FILE_NOT_FOUND: 404,
  PAYLOAD_INVALID: 422,
  PAYLOAD_TOO_LARGE: 413,
  HOST_REFUSED: 421,
  REQUESTS_TOO_MANY: 429,
  WATCHERS_TOO_MANY: 503,
  REDIS_UNAVAILABLE: 503,
  DATABASE_UNAVAILABLE: 503,
  DATABASE_BUSY: 503,
  CACHE_OVERLOADED: 503,
  CUTOVER_UNKNOWN: 503,
  ANSWER_LATE: 503,
}

export interface Refusal {
  readonly error: { readonly code: ErrorCode; readonly message: string }
}

export const refusal = (code: ErrorCode, message: string): Refusal => ({ error: { code, message } })

export function refuse(reply: FastifyReply, code: ErrorCode, message: string): FastifyReply {
  return reply.status(STATUS_OF[code] ?? 500).send(refusal(code, message))
}

/** What anyone may be told of a failure. What nobody foresaw stays in the log: it may hold anything. */
export function refusalOf(error: unknown): Refusal {
  if (isForeseen(error)) return refusal(error.code, error.message)
  return refusal('INTERNAL', 'Something failed; the log of the gateway says what.')
}

/** A loader may have failed by what nobody foresaw, in another process; its message comes from there. */
const isForeseen = (error: unknown): error is SluiceError =>
  isSluiceError(error) && error.code !== 'CACHE_LOAD_FAILED'

/** Turns thrown errors, unknown routes and foreign methods into refusals. */
export function answerFailures(server: FastifyInstance, log: Logger): void {
  server.setErrorHandler((error, request, reply) => {
    // What is a wrong argument on the command line is a wrong request here.
    if (isSluiceError(error, 'USAGE')) return refuse(reply, 'REQUEST_INVALID', error.message)
    if (isForeseen(error)) {
      const status = STATUS_OF[error.code] ?? 500
      // What the asker did wrong is no news; what we could not do is.
      if (status >= 500) log.warn({ err: error, path: request.url }, 'a request could not be answered')
      return refuse(reply, error.code, error.message)
    }
    const status = (error as { statusCode?: number }).statusCode ?? 500
    if (status >= 400 && status < 500) {
      return reply.status(status).send(refusal('REQUEST_INVALID', messageOf(error)))
    }
    log.error({ err: error, path: request.url, request: request.id }, 'a request failed')
    const said = refusalOf(error)
    return reply.status(500).send({ error: { ...said.error, request: request.id } })
  })
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]!.slice(0, 200)
    return refuse(reply, 'ROUTE_UNKNOWN', `There is nothing at ${path}; docs/API.md lists what there is.`)
  })
}
