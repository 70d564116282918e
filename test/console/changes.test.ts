// What the API changes for whoever has the token, and that it changes nothing for anyone else; on a real server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outgoing, Reject } from '../../src/bus/index.ts'
import { JOB_PREFIX, JOBS, signals, streamNamed } from '../../src/catalog/index.ts'
import type { Changes } from '../../src/console/index.ts'
import { type Jobs, openJobs } from '../../src/jobs/index.ts'
import { openLog, readConfig, systemClock } from '../../src/kernel/index.ts'
import { type NotingBus, openNotingBus, start } from '../bus/rig.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type RunningConsole, rawRequest, startConsole } from './running-console.ts'

const TOKEN = 'correct-horse-battery'
const CHANGES = [
  'dead-letters/replay',
  'dead-letters/edit',
  'dead-letters/drop',
  'groups/pause',
  'groups/resume',
]
const FILES = ['compress', 'verify', 'restore', 'rotate'].map((verb) => `/admin/history/${verb}`)
const PATHS = [...[...CHANGES, 'groups/replay'].map((path) => `/api/${path}`), ...FILES]
let redis: TestRedis
let bus: NotingBus
let jobs: Jobs<typeof JOBS>
let closed: RunningConsole
let open: RunningConsole
const logged: Record<string, unknown>[] = []

beforeAll(async () => {
  redis = await startRedis()
  bus = openNotingBus(redis.url)
  const log = openLog({ level: 'silent', name: 'test' })
  jobs = openJobs({ redisUrl: redis.url, jobs: JOBS, prefix: JOB_PREFIX, clock: systemClock, log })
  const changes: Changes = {
    replayDeadLetter: (stream, entry, data) => bus.replayDeadLetter(streamNamed(stream), entry, data),
    dropDeadLetter: (stream, entry) => bus.dropDeadLetter(streamNamed(stream), entry),
    pauseGroup: (stream, group) => bus.pauseGroup(streamNamed(stream), group),
    resumeGroup: (stream, group) => bus.resumeGroup(streamNamed(stream), group),
    seekGroup: (stream, group, to) => bus.seekGroup(streamNamed(stream), group, to),
  }
  const answers = {
    deadLetters: (stream: string, limit: number, query: object) =>
      bus.deadLetters(streamNamed(stream), limit, query),
    deadLetter: (stream: string, entry: string) => bus.deadLetter(streamNamed(stream), entry),
  }
  const destination = { write: (line: string) => void logged.push(JSON.parse(line)) }
  ;[closed, open] = await Promise.all([
    startConsole(jobs, answers, { changes }),
    startConsole(jobs, answers, {
      ...{ changes, token: TOKEN },
      log: openLog({ level: 'info', name: 'test', destination: destination as never }),
    }),
  ])
})
afterAll(async () => {
  await Promise.all([closed.stop(), open.stop()])
  await Promise.all([jobs.close(), bus.close()])
  await redis.stop()
})

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { error?: { code: string; message: string } }
}

async function post(
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  at = open,
): Promise<Answer> {
  const response = await at.get(path, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}
const get = async (path: string) => (await (await open.get(path)).json()) as Record<string, unknown>

const signal = (confidence: number) => ({
  ...{ kind: 'risk', symbol: 'BTC/USDT', action: 'hold', strength: 'weak', confidence, risk: 0, score: 1 },
  ...{ indicators: [], venues: [], price: 1, simulated: true, time: 1, expiresAt: 2 },
})

async function consume(count: number): Promise<number[]> {
  const seen: number[] = []
  const consumer = start(
    bus.consume({
      stream: signals,
      group: 'screen',
      order: 'key',
      async handle({ data }) {
        seen.push(data.confidence)
        if (data.confidence < 0.5) throw new Reject('not confident')
      },
    }),
  )
  await eventually(() => seen.length >= count)
  await consumer.stop()
  return seen
}

describe('nobody changes anything', () => {
  it('while no token is set; the answer says how to allow it', async () => {
    for (const path of PATHS) {
      const { status, body } = await post(path, {}, {}, closed)
      expect(status, path).toBe(403)
      expect(body.error).toMatchObject({ code: 'CHANGES_REFUSED' })
      expect(body.error?.message).toContain('CONSOLE_TOKEN')
    }
  })

  it('without the token, with another one, or with one that only begins like it', async () => {
    const wrong = ['', 'Bearer', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(0, -1)}`, `Basic ${TOKEN}`, TOKEN]
    for (const path of PATHS) {
      for (const authorization of path === PATHS[0] ? wrong : ['Bearer x']) {
        const { status, body } = await post(path, {}, { authorization })
        expect(status, authorization).toBe(401)
        expect(body.error).toMatchObject({ code: 'TOKEN_REFUSED' })
      }
    }
  })

  it('by a form of another page, under another host, or at an address that only resembles one', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonx',
    ]) {
      const { status, body } = await post(PATHS[0]!, '{}', { 'content-type': type })
      expect(status, type).toBe(415)
      expect(body.error).toMatchObject({ code: 'REQUEST_INVALID' })
    }
    const headers = {
      host: 'evil.example',
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
    }
    expect((await rawRequest(open.port, { path: PATHS[0]!, method: 'POST', headers })).status).toBe(421)
    for (const path of [
      '/api/groups/pause/',
      '/api/groups/pause?a=1',
      '/api/groups/p%61use',
      '/api/dead-letters',
    ]) {
      const local = { ...headers, host: 'localhost' }
      expect((await rawRequest(open.port, { path, method: 'POST', headers: local })).status, path).toBe(405)
    }
    const { headers: answered } = await open.get(PATHS[0]!, { method: 'OPTIONS' })
    expect(answered.get('access-control-allow-origin')).toBeNull()
  })
})

describe('whoever has the token', () => {
  it('replays, edits and drops dead letters, and pages through them', async () => {
    await bus.publish(
      [0.1, 0.2, 0.3].map((confidence) => outgoing(signals, `e${confidence}`, signal(confidence) as never)),
    )
    await consume(3)
    const { deadLetters } = await get('/api/dead-letters?stream=signals&group=screen&limit=2')
    const [third, second] = deadLetters as { entry: string }[]
    const older = await get(`/api/dead-letters?stream=signals&before=${second!.entry}`)
    const [first] = older['deadLetters'] as { entry: string }[]
    const shown = await get(`/api/dead-letters/signals/${first!.entry}`)
    expect(shown).toMatchObject({ entry: first!.entry, reason: 'not confident' })
    expect(shown).not.toHaveProperty('stack')
    expect(await get('/api/dead-letters/signals/0/1-1')).toMatchObject({
      error: { code: 'DEAD_LETTER_UNKNOWN' },
    })
    const stream = 'signals'
    const bad = await post('/api/dead-letters/edit', {
      stream,
      entry: first!.entry,
      data: { ...signal(0.9), risk: 9 },
    })
    expect([bad.status, bad.body.error?.code]).toEqual([422, 'PAYLOAD_INVALID'])
    const edited = await post('/api/dead-letters/edit', { stream, entry: first!.entry, data: signal(0.9) })
    expect([edited.status, edited.body]).toEqual([200, { stream, edited: first!.entry }])
    expect((await post('/api/dead-letters/replay', { stream, entry: second!.entry })).status).toBe(200)
    expect((await post('/api/dead-letters/drop', { stream, entry: third!.entry })).body).toEqual({
      stream,
      dropped: third!.entry,
    })
    const again = await post('/api/dead-letters/drop', { stream, entry: third!.entry })
    expect([again.status, again.body.error?.code]).toEqual([404, 'DEAD_LETTER_UNKNOWN'])
    expect((await consume(2)).sort()).toEqual([0.2, 0.9])
  })

  it('pauses, resumes and replays groups', async () => {
    const stream = 'signals'
    await bus.publish([outgoing(signals, 'e1', signal(1) as never)])
    await consume(1)
    const isPaused = async () => (await bus.status(signals)).partitions[0]!.groups[0]!.paused
    expect((await post('/api/groups/pause', { stream, group: 'screen' })).body).toMatchObject({
      changed: true,
    })
    expect(await isPaused()).toBe(true)
    expect((await post('/api/groups/resume', { stream, group: 'screen' })).body).toMatchObject({
      paused: false,
    })
    expect(await isPaused()).toBe(false)
    const { status, body } = await post('/api/groups/replay', { stream, group: 'screen', from: 'start' })
    expect(status).toBe(200)
    const places = body['places'] as { count: number }[]
    const kept = (await bus.status(signals)).partitions.reduce((sum, { length }) => sum + length, 0)
    expect(places.reduce((sum, { count }) => sum + count, 0)).toBe(kept)
    const unknown = await post('/api/groups/pause', { stream, group: 'nobody' })
    expect([unknown.status, unknown.body.error?.code]).toEqual([404, 'GROUP_UNKNOWN'])
  })

  it.each([
    ['/api/groups/pause', '{'],
    ['/api/groups/pause', 'null'],
    ['/api/groups/pause', { stream: 'nothing', group: 'screen' }],
    ['/api/groups/pause', { stream: 'signals', group: 'screen', more: 1 }],
    ['/api/groups/replay', { stream: 'signals', group: 'screen' }],
    ['/api/groups/replay', { stream: 'signals', group: 'screen', from: 'yesterday' }],
    ['/api/groups/replay', { stream: 'signals', group: 'screen', from: -1 }],
    ['/api/dead-letters/drop', { stream: 'signals', entry: '1-1' }],
    ['/api/dead-letters/drop', { stream: 'signals', entry: '999/1-1' }],
    ['/api/dead-letters/edit', { stream: 'signals', entry: '0/1-1' }],
    ['/api/dead-letters/edit', '{"stream":"signals","entry":"0/1-1","data":{"__proto__":{"a":1}}}'],
  ])('is told what is wrong with %s %j', async (path, body) => {
    const answer = await post(path, body)
    expect(answer.status).toBe(400)
    expect(answer.body.error?.code).toBe('REQUEST_INVALID')
  })

  it('is named in the log with what was changed; the token and payloads are not', async () => {
    const text = JSON.stringify(logged)
    const changed = logged.filter(({ msg }) => msg === 'changed through the console')
    expect(changed).toContainEqual(
      expect.objectContaining({
        who: '127.0.0.1',
        change: '/api/groups/pause',
        stream: 'signals',
        group: 'screen',
      }),
    )
    expect(changed.map(({ change }) => change)).toContain('/api/dead-letters/edit')
    expect(logged.filter(({ msg }) => String(msg).includes('without the right token'))).not.toHaveLength(0)
    expect(text).not.toContain(TOKEN)
    expect(text).not.toContain('confidence')
  })
})

describe('the token', () => {
  it('has at least 16 characters, and is not told when it is refused', () => {
    expect(readConfig({ CONSOLE_TOKEN: TOKEN }).CONSOLE_TOKEN).toBe(TOKEN)
    expect(readConfig({}).CONSOLE_TOKEN).toBe('')
    for (const token of ['short-secret', 'with spaces in the middle']) {
      let said = ''
      try {
        readConfig({ CONSOLE_TOKEN: token })
      } catch (error) {
        said = String(error)
      }
      expect(said).toContain('CONSOLE_TOKEN is a value; allowed: at least 16')
      expect(said).not.toContain(token)
    }
  })
})
