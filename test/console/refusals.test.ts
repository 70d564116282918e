// What anyone is told of a failure.
import fastify from 'fastify'
import { afterAll, expect, it } from 'vitest'
import { answerFailures } from '../../src/console/refusals.ts'
import { type ErrorCode, openLog, SluiceError } from '../../src/kernel/index.ts'

const server = fastify()
answerFailures(server, openLog({ level: 'silent', name: 'test' }))
let thrown: unknown
server.get('/', async () => {
  throw thrown
})
afterAll(() => server.close())

async function told(error: unknown) {
  thrown = error
  const { statusCode, body } = await server.inject('/')
  return { statusCode, body, code: JSON.parse(body).error.code as ErrorCode }
}

it('is nothing of what nobody foresaw, also when a loader in another process met it', async () => {
  const text = 'a query at /home/someone/file.ts'
  for (const error of [new Error(text), new SluiceError('CACHE_LOAD_FAILED', text)]) {
    const { statusCode, body, code } = await told(error)
    expect({ statusCode, code }).toEqual({ statusCode: 500, code: 'INTERNAL' })
    expect(body).not.toContain('/home')
  }
})

it('is that it may be tried again where too much was asked for', async () => {
  const busy = new SluiceError('CACHE_OVERLOADED', 'No answer came in 2500 ms.')
  expect(await told(busy)).toMatchObject({ statusCode: 503, code: 'CACHE_OVERLOADED' })
})
