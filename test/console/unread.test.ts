// Long answers that somebody asks for and does not read, over real sockets.
import { once } from 'node:events'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify'
import { afterEach, expect, it } from 'vitest'
import { openUnread, UNREAD_LIMITS, type UnreadLimits } from '../../src/console/unread.ts'
import { eventually } from '../support/eventually.ts'

// More than the system takes off our hands.
const LONG = 20_000_000
let server: FastifyInstance
const asking: ClientRequest[] = []
afterEach(async () => {
  for (const one of asking) one.destroy()
  await server.close()
})

async function serve(limits: Partial<UnreadLimits> = {}, read = async (_reply: FastifyReply) => {}) {
  server = fastify({ forceCloseConnections: true })
  server.get('/long', openUnread({ ...UNREAD_LIMITS, ...limits }), async (_, reply) => {
    await read(reply)
    return 'x'.repeat(LONG)
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
}

/** The answer with its head, and nothing of its body read. */
async function ask(): Promise<IncomingMessage> {
  const { port } = server.server.address() as AddressInfo
  const request = get({ host: '127.0.0.1', port, path: '/long', agent: false })
  asking.push(request)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

it('a client gets no further answer while much of the earlier ones is unread, and then it does', async () => {
  await serve()
  const [one, other] = [await ask(), await ask()]
  const refused = await ask()
  expect([one, other, refused].map(({ statusCode }) => statusCode)).toEqual([200, 200, 429])
  expect(await text(refused)).toContain('40000000 bytes of earlier answers wait to be read')
  expect((await text(one)).length).toBe(LONG)
  await eventually(async () => (await ask()).statusCode === 200)
  other.destroy()
})

it('nobody gets one while all together leave too much unread', async () => {
  await serve({ ofOne: Number.POSITIVE_INFINITY, ofAll: LONG })
  const first = await ask()
  const second = await ask()
  expect([first.statusCode, second.statusCode]).toEqual([200, 503])
  first.destroy()
  await eventually(async () => (await ask()).statusCode === 200)
})

it('who takes nothing is cut off in time, and what it had counts no more', async () => {
  await serve({ ofOne: LONG, graceMs: 50, bytesPerSecond: LONG * 10 })
  const slow = await ask()
  const failed = once(slow, 'error')
  slow.resume()
  slow.pause()
  await eventually(async () => (await ask()).statusCode === 200)
  slow.resume()
  expect(await failed).toMatchObject([{ code: 'ECONNRESET' }])
})

it('who gives up before the answer is there has nothing unread', async () => {
  let waiting = 0
  let given = 0
  await serve({ ofOne: LONG }, async ({ raw }) => {
    if (given === 3) return
    waiting++
    await once(raw, 'close')
    given++
  })
  const { port } = server.server.address() as AddressInfo
  for (let n = 1; n <= 3; n++) {
    const request = get({ host: '127.0.0.1', port, path: '/long', agent: false })
    request.on('error', () => undefined)
    await eventually(() => waiting === n)
    request.destroy()
    await eventually(() => given === n)
  }
  expect((await ask()).statusCode).toBe(200)
})
