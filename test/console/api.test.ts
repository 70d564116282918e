import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { JOB_PREFIX, JOBS, STREAMS } from '../../src/catalog/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { ERROR_CODES, openLog, SluiceError, systemClock } from '../../src/kernel/index.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type RunningConsole, rawRequest, startConsole } from './running-console.ts'

let redis: TestRedis
let jobs: Jobs<typeof JOBS>
let gateway: RunningConsole
const limits: number[] = []

beforeAll(async () => {
  redis = await startRedis()
  const log = openLog({ level: 'silent', name: 'test' })
  jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
  await jobs.schedule()
  gateway = await startConsole(jobs, {
    trades: async (limit) => {
      limits.push(limit)
      return []
    },
    positions: async () => {
      throw new Error('secret text of a driver at /home/someone/file.ts')
    },
    equity: async () => {
      throw new SluiceError('DATABASE_UNAVAILABLE', 'The database did not answer.')
    },
    deadLetters: async (stream) => [
      {
        entry: '1-1',
        stream,
        partition: 0,
        group: 'ledger',
        originEntry: '1-0',
        eventId: 'e',
        key: 'k',
        attempts: 5,
        reason: 'no',
        stack: 'at /home/someone/file.ts',
        time: 1,
        data: '{}',
      },
    ],
  })
})
afterAll(async () => {
  await gateway.stop()
  await jobs.close()
  await redis.stop()
})

const json = async (response: Response) => (await response.json()) as Record<string, unknown>
const codeOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string; message: string } }).error.code

describe('the API', () => {
  it('answers every documented list with JSON', async () => {
    for (const name of ['opportunities', 'decisions', 'trades', 'streams', 'workers']) {
      const response = await gateway.get(`/api/${name}`)
      expect(response.status, name).toBe(200)
      expect(response.headers.get('content-type')).toContain('application/json')
      expect(Array.isArray((await json(response))[name])).toBe(true)
    }
  })

  it('keeps money as decimal text to the last digit', async () => {
    const status = await json(await gateway.get('/api/status'))
    expect(status).toMatchObject({
      opportunities: 12,
      open: 3,
      executed: 9,
      refused: 3,
      profit: { USDT: '41.220000000000000001' },
      lag: 6,
      deadLetters: 0,
    })
  })

  it('sums partitions into streams and groups', async () => {
    const { streams } = await json(await gateway.get('/api/streams'))
    expect(streams).toHaveLength(STREAMS.length)
    expect((streams as unknown[])[0]).toMatchObject({
      length: 10,
      published: 200,
      groups: [{ group: 'readers', lag: 6, pending: 4, oldestMs: 1_500, members: 2 }],
    })
  })

  it('hands the limit on, 50 by default, and takes 1 to 1000', async () => {
    limits.length = 0
    for (const query of ['', '?limit=1', '?limit=1000']) await gateway.get(`/api/trades${query}`)
    expect(limits).toEqual([50, 1, 1_000])
  })

  it('refuses any other limit and says what is allowed', async () => {
    limits.length = 0
    const bad = [
      '0',
      '-1',
      '1001',
      '999999999999999999999',
      '1e3',
      '0x10',
      '5.5',
      '',
      ' 5',
      'all',
      'NaN',
      '٣',
    ]
    for (const limit of bad) {
      const response = await gateway.get(`/api/trades?limit=${encodeURIComponent(limit)}`)
      expect(response.status, limit).toBe(400)
      const { error } = (await response.json()) as { error: { code: string; message: string } }
      expect(error.code).toBe('REQUEST_INVALID')
      expect(error.message).toContain('from 1 to 1000')
    }
    expect((await gateway.get('/api/trades?limit=1&limit=2')).status).toBe(400)
    expect((await gateway.get('/api/trades?limit[]=1')).status).toBe(200)
    expect(limits).toEqual([50])
  })

  it('shows dead letters without their stacks, of one stream or of all', async () => {
    const all = await json(await gateway.get('/api/dead-letters'))
    expect(all['deadLetters']).toHaveLength(STREAMS.length)
    expect(JSON.stringify(all)).not.toContain('/home/')
    const one = await json(await gateway.get(`/api/dead-letters?stream=${STREAMS[0]?.name}`))
    expect(one['deadLetters']).toHaveLength(1)
    expect((await gateway.get('/api/dead-letters?stream=nothing')).status).toBe(400)
  })

  it('never shows what it did not foresee, and gives a request id to look for', async () => {
    const response = await gateway.get('/api/positions')
    const text = await response.text()
    expect(response.status).toBe(500)
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'INTERNAL', request: expect.any(String) } })
    expect(text).not.toMatch(/secret|\/home\/|file\.ts| at /)
  })

  it('says 503 and why when the database is away', async () => {
    const response = await gateway.get('/api/equity')
    expect(response.status).toBe(503)
    expect(await codeOf(response)).toBe('DATABASE_UNAVAILABLE')
  })

  it('answers an unknown route with a JSON 404', async () => {
    for (const path of [
      '/api/nothing',
      '/api',
      '/favicon.ico',
      '/queues/api/nothing',
      '/constructor',
      '/__proto__',
    ]) {
      const response = await gateway.get(path)
      expect(response.status, path).toBe(404)
      expect(await codeOf(response)).toBe('ROUTE_UNKNOWN')
    }
  })

  it('changes nothing: every method but GET and HEAD is refused, on the job board too', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      for (const path of ['/', '/api/status', '/api/dead-letters', '/queues/api/queues/streams/pause']) {
        const response = await gateway.get(path, { method })
        expect(response.status, `${method} ${path}`).toBe(405)
        expect(response.headers.get('allow')).toBe('GET, HEAD')
        expect(await codeOf(response)).toBe('METHOD_REFUSED')
      }
    }
    const paused = await (await jobs.queues())[0]!.isPaused()
    expect(paused).toBe(false)
  })

  it('answers HEAD as GET without a body', async () => {
    for (const path of [
      '/',
      '/live',
      '/ready',
      '/health',
      '/metrics',
      '/api/status',
      '/api/trades',
      '/queues',
    ]) {
      const response = await gateway.get(path, { method: 'HEAD' })
      expect(response.status, path).toBe(200)
      expect(await response.text()).toBe('')
    }
  })

  it('gives no file of the disk away', async () => {
    const paths = [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/package.json',
      '/console.js/../../package.json',
      '/queues/static/../../../../package.json',
      '/queues/static/..%2f..%2f..%2f..%2fpackage.json',
      '/queues/static/%2e%2e/%2e%2e/package.json',
      '//etc/passwd',
      '/console.css%00.html',
    ]
    for (const path of paths) {
      const { status, body } = await rawRequest(gateway.port, { path })
      expect(status, path).toBeGreaterThanOrEqual(400)
      expect(body, path).not.toMatch(/"dependencies"|root:/)
      expect(body).not.toMatch(/node_modules|\n\s+at /)
    }
  })

  it('answers a malformed address and a malformed request with 400 and a code', async () => {
    const { status, body } = await rawRequest(gateway.port, { path: '/%zz' })
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'REQUEST_INVALID' } })
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(gateway.port, '127.0.0.1', () => socket.write('NOT HTTP AT ALL\r\n\r\n'))
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString()
      })
      socket.on('close', () => resolve(text))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('REQUEST_INVALID')
  })

  it('cuts off headers that are too large', async () => {
    const headers = { 'x-large': 'x'.repeat(100_000) }
    const status = await rawRequest(gateway.port, { path: '/live', headers }).then(
      (answer) => answer.status,
      () => 400,
    )
    expect(status).toBeGreaterThanOrEqual(400)
    expect((await gateway.get('/live')).status).toBe(200)
  })

  it('refuses a name that is not this machine while it listens on loopback', async () => {
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80']) {
      const { status, body } = await rawRequest(gateway.port, { path: '/api/trades', headers: { host } })
      expect(status, host).toBe(421)
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'HOST_REFUSED' } })
    }
    for (const host of ['localhost', '127.0.0.1:1', '[::1]:8080', 'LOCALHOST:99']) {
      expect((await rawRequest(gateway.port, { path: '/live', headers: { host } })).status, host).toBe(200)
    }
  })

  it('sends security headers with everything and allows no other origin', async () => {
    for (const path of ['/', '/api/status', '/nothing', '/queues', '/metrics']) {
      const { headers } = await gateway.get(path, { headers: { origin: 'http://evil.example' } })
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  it('names only codes that are documented', async () => {
    for (const path of ['/nothing', '/api/trades?limit=0', '/api/equity', '/api/positions']) {
      expect(Object.keys(ERROR_CODES)).toContain(await codeOf(await gateway.get(path)))
    }
  })
})

describe('the page and the job board', () => {
  it('serves the page and all it names, without anything from outside', async () => {
    const html = await (await gateway.get('/')).text()
    expect(html).toContain('<title>Sluice</title>')
    expect(html).not.toMatch(/https?:\/\//)
    const files = [...html.matchAll(/(?:src|href)="(\/[\w.-]*)"/g)].map(([, path]) => path!)
    for (const path of new Set(files)) expect((await gateway.get(path)).status, path).toBe(200)
    const script = await (await gateway.get('/console.js')).text()
    for (const [, name] of script.matchAll(/from '\.(\/[\w.-]+)'/g)) {
      expect((await gateway.get(name!)).status, name).toBe(200)
    }
  })

  it('shows every job queue on the board, which may be looked at only', async () => {
    expect(await (await gateway.get('/queues')).text()).toContain('<div id="root">')
    const { queues } = (await (await gateway.get('/queues/api/queues')).json()) as {
      queues: { name: string; readOnlyMode: boolean }[]
    }
    const declared = new Set(Object.values(JOBS).map((job) => job.queue))
    expect(new Set(queues.map((queue) => queue.name))).toEqual(declared)
    expect(queues.every((queue) => queue.readOnlyMode)).toBe(true)
  })

  it('says clearly that its port is taken', async () => {
    await expect(startConsole(jobs, {}, { port: gateway.port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(gateway.port)),
    })
  })
})
