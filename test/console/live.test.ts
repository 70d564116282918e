import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { JOB_PREFIX, JOBS } from '../../src/catalog/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { openLog, SluiceError, systemClock } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type RunningConsole, startConsole } from './running-console.ts'

let redis: TestRedis
let jobs: Jobs<typeof JOBS>
let gateway: RunningConsole | undefined

beforeAll(async () => {
  redis = await startRedis()
  const log = openLog({ level: 'silent', name: 'test' })
  jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
})
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
})
afterAll(async () => {
  await jobs.close()
  await redis.stop()
})

/** Reads events until the stream ends or `stop` is called. */
async function watch(console: RunningConsole) {
  const hangUp = new AbortController()
  const response = await console.get('/api/live', { signal: hangUp.signal })
  const events: { name: string; data: Record<string, never> }[] = []
  let ended = false
  const reading = (async () => {
    let text = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, name, data] = /event: (.*)\ndata: (.*)/.exec(text.slice(0, end)) ?? []
        if (name) events.push({ name, data: JSON.parse(data!) })
        text = text.slice(end + 2)
      }
    }
  })()
    .catch(() => undefined)
    .finally(() => {
      ended = true
    })
  return { response, events, ended: () => ended, reading, stop: () => hangUp.abort() }
}

describe('live updates', () => {
  it('asks once for all pages, and not at all while nobody looks', async () => {
    let asked = 0
    const trades = async () => {
      asked += 1
      return []
    }
    gateway = await startConsole(jobs, { trades }, { live: { everyMs: 50 } })
    await systemClock.sleep(200)
    expect(asked).toBe(0)
    const pages = await Promise.all([1, 2, 3, 4, 5].map(() => watch(gateway!)))
    await eventually(() => pages.every((page) => page.events.length >= 5))
    const told = Math.max(...pages.map((page) => page.events.length))
    expect(asked).toBeLessThanOrEqual(told + 2)
    for (const page of pages) page.stop()
    await Promise.all(pages.map((page) => page.reading))
    await eventually(async () => {
      const before = asked
      await systemClock.sleep(150)
      return asked === before
    })
  })

  it('tells everything that the page shows', async () => {
    gateway = await startConsole(jobs, {}, { live: { everyMs: 50 } })
    const page = await watch(gateway)
    expect(page.response.headers.get('content-type')).toContain('text/event-stream')
    expect(page.response.headers.get('x-content-type-options')).toBe('nosniff')
    const state = await eventually(() => page.events[0]?.data)
    for (const part of ['status', 'streams', 'workers', 'opportunities', 'decisions', 'trades', 'equity']) {
      expect(state).toHaveProperty(part)
    }
    expect(state).toMatchObject({ failures: {}, about: { feed: 'none' } })
    page.stop()
  })

  it('goes on with what it has when a part fails, and says which', async () => {
    const positions = async () => {
      throw new SluiceError('DATABASE_UNAVAILABLE', 'The database did not answer.')
    }
    gateway = await startConsole(jobs, { positions }, { live: { everyMs: 50 } })
    const page = await watch(gateway)
    const state = await eventually(() => page.events[0]?.data)
    expect(state).toMatchObject({ failures: { positions: { code: 'DATABASE_UNAVAILABLE' } } })
    expect(state).toHaveProperty('streams')
    expect(state).not.toHaveProperty('positions')
    page.stop()
  })

  it('drops a page that does not read, and the others go on', async () => {
    const large = Array.from({ length: 500 }, (_, i) => ({ id: `${i}`, filler: 'x'.repeat(2_000) }))
    // A page that reads may fall 16 events, 1.6 s, behind; one that does not has 30 MB to fill its buffers with.
    gateway = await startConsole(
      jobs,
      { opportunities: async () => large as never },
      { live: { everyMs: 100, unreadBytesMax: 16_000_000 } },
    )
    const slow = connect(gateway.port, '127.0.0.1')
    let isClosed = false
    slow.on('close', () => {
      isClosed = true
    })
    slow.on('error', () => undefined)
    slow.write('GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n')
    slow.pause()
    const page = await watch(gateway)
    await eventually(() => page.events.length > 30, { timeoutMs: 50_000 })
    // Only now: a paused socket does not notice that it was closed.
    slow.resume()
    await eventually(() => isClosed)
    expect(page.ended()).toBe(false)
    page.stop()
  })

  it('refuses one page too many with 503 and takes it when another has left', async () => {
    gateway = await startConsole(jobs, {}, { live: { everyMs: 50, watchersMax: 2 } })
    const pages = [await watch(gateway), await watch(gateway)]
    const refused = await gateway.get('/api/live')
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ error: { code: 'WATCHERS_TOO_MANY' } })
    pages[0]!.stop()
    await eventually(async () => {
      const page = await watch(gateway!)
      page.stop()
      return page.response.status === 200
    })
    pages[1]!.stop()
  })

  it('says goodbye and closes when the console drains, although a question hangs', async () => {
    let hangs = false
    const trades = () => (hangs ? new Promise<never>(() => undefined) : Promise.resolve([]))
    gateway = await startConsole(jobs, { trades }, { live: { everyMs: 20 } })
    const page = await watch(gateway)
    await eventually(() => page.events.length > 1)
    hangs = true
    await systemClock.sleep(60)
    const stopping = gateway.stop()
    gateway = undefined
    await eventually(() => page.ended(), { timeoutMs: 2_000 })
    await stopping
    expect(page.events.at(-1)?.name).toBe('closing')
  })
})
