// What holds for every request, before any route sees it. There is no log-in, so whoever reaches the port may read;
// replaying a dead letter may move money, so changes need a token, and there is none unless somebody has set one.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../kernel/index.ts'
import { CHANGE_PATHS } from './changes.ts'
import { READING_PATHS } from './history.ts'
import { refuse } from './refusals.ts'
import { demandToken } from './token.ts'

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  'cache-control': 'no-store',
}

// bull-board sets styles in its elements, and asks for fonts that it does without.
const QUEUES_POLICY = HEADERS['content-security-policy']!.replace(
  "style-src 'self'",
  "style-src 'self' 'unsafe-inline'; font-src 'self'",
).replace("base-uri 'none'", "base-uri 'self'")

export interface GuardOptions {
  readonly host: string
  /** The empty string: nobody may change anything. */
  readonly token: string
  readonly log: Logger
}

export function guard(server: FastifyInstance, { host, token, log }: GuardOptions): void {
  const isLocal = LOOPBACK.has(host)
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS)
    if (isUnder(request, '/queues')) reply.header('content-security-policy', QUEUES_POLICY)
    if (isLocal && !LOOPBACK.has(nameOf(request))) return refuseHost(request, reply)
    if (request.method === 'GET' || request.method === 'HEAD') return
    if (request.method === 'POST' && READING_PATHS.has(request.url)) return
    // Written exactly so: whatever else the router takes for one of these is refused.
    if (request.method === 'POST' && CHANGE_PATHS.has(request.url)) {
      return demandToken(request, reply, token, log)
    }
    return refuseMethod(request, reply)
  })
}

const isUnder = (request: FastifyRequest, path: string) =>
  request.url === path || request.url.startsWith(`${path}/`) || request.url.startsWith(`${path}?`)

/** The name in the Host header without port and brackets. */
function nameOf(request: FastifyRequest): string {
  const host = request.headers.host ?? ''
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.split(':', 1)[0]!
  return name.toLowerCase()
}

function refuseHost(request: FastifyRequest, reply: FastifyReply) {
  const given = String(request.headers.host ?? '').slice(0, 100)
  return refuse(
    reply,
    'HOST_REFUSED',
    `The console listens on loopback and was asked for as "${given}"; allowed: ${[...LOOPBACK].join(', ')}. ` +
      'Set HOST to show it to the network.',
  )
}

function refuseMethod(request: FastifyRequest, reply: FastifyReply) {
  reply.header('allow', 'GET, HEAD')
  return refuse(
    reply,
    'METHOD_REFUSED',
    `${request.method} is not answered here; allowed: GET, HEAD. What changes something is a command: sluice --help.`,
  )
}
