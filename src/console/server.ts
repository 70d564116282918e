// The HTTP server with its limits: what is too large, too slow or too many is cut off before it costs anything.
import { type FastifyInstance, fastify } from 'fastify'
import { isSluiceError, SluiceError } from '../kernel/index.ts'
import { refusal } from './refusals.ts'

const CONNECTIONS_MAX = 500
const SAFE = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }

export function openServer(): FastifyInstance {
  const server = fastify({
    logger: false,
    // Nothing that is answered takes a body.
    bodyLimit: 1_024,
    requestTimeout: 10_000,
    connectionTimeout: 0,
    keepAliveTimeout: 10_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    http: { maxHeaderSize: 8_192, headersTimeout: 10_000 },
    frameworkErrors: (error, _request, reply) => {
      // Fastify types this reply for each route, and there is none: the address itself cannot be read.
      const said = refusal('REQUEST_INVALID', `The request cannot be understood: ${error.message}.`)
      reply.raw.writeHead(400, { 'content-type': 'application/json; charset=utf-8', ...SAFE })
      reply.raw.end(JSON.stringify(said))
    },
    clientErrorHandler: (error, socket) => {
      // Not HTTP at all, or too slow in being it.
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
      const body = JSON.stringify(refusal('REQUEST_INVALID', `Not an HTTP request: ${code ?? 'unreadable'}.`))
      const head = `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\n`
      socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
    },
  })
  server.server.maxConnections = CONNECTIONS_MAX
  return server
}

/** Throws PORT_IN_USE, naming the port and what to do. */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (error) {
    if (isSluiceError(error)) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE') {
      throw new SluiceError(
        'PORT_IN_USE',
        `Port ${port} on ${host} is taken by another program; stop it or set PORT to a free one.`,
        { host, port },
        error,
      )
    }
    const facts = { host, port }
    throw new SluiceError(
      'CONFIG_INVALID',
      `The console cannot listen on ${host}:${port} (${code}).`,
      facts,
      error,
    )
  }
}
