// Servers that die, freeze or lose their office: whoever wrote, read or listened goes on with the next one by itself.
import { describe, expect, it } from 'vitest'
import {
  closeRedis,
  connectRedis,
  nodesOf,
  onNodeOf,
  type Redis,
  type Role,
  ready,
  redisError,
} from '../../src/redis/index.ts'
import { slotOf } from '../../src/redis/slots.ts'
import { startCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis } from '../support/redis.ts'
import { startSentinel } from '../support/sentinel.ts'

/** What one test uses: closed at its end, before the servers stop. The tests run side by side. */
function scene(onTestFinished: (end: () => Promise<void>) => void) {
  const clients: Redis[] = []
  const servers: { stop(): Promise<unknown> }[] = []
  onTestFinished(async () => {
    await Promise.all(clients.map(closeRedis))
    await Promise.all(servers.map((server) => server.stop()))
  })
  return {
    use<T extends { stop(): Promise<unknown> }>(server: T): T {
      servers.push(server)
      return server
    },
    connect(url: string, role: Role, key?: string): Redis {
      const client = connectRedis(url, role, key === undefined ? {} : { key })
      clients.push(client)
      return client
    },
  }
}

/** Every command fails at once or is answered; nothing but asking again is done. */
const goesOn = (client: Redis, key: string) =>
  eventually(() => client.set(key, 'after'), { what: `a write of ${key}` })

/** A key of the slots that the first master owns at the beginning. */
const FIRST = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].find((key) => slotOf(key) < 16_384 / 3)!
const LAST = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].find((key) => slotOf(key) > (2 * 16_384) / 3)!

describe.concurrent('under Sentinel', () => {
  it('every role goes on with the promoted replica when the master is killed', async ({ onTestFinished }) => {
    const { use, connect } = scene(onTestFinished)
    const set = use(await startSentinel())
    const told: string[] = []
    const writer = connectRedis(set.url, 'writer', { onError: ({ message }) => told.push(message) })
    onTestFinished(() => closeRedis(writer))
    const lock = connect(set.url, 'lock')
    const reader = connect(set.url, 'reader', 's')
    const subscriber = connect(set.url, 'subscriber', 'news')
    const heard: string[] = []
    subscriber.on('message', (_channel: string, text: string) => heard.push(text))
    subscriber.on('ready', () => void subscriber.subscribe('news').catch(() => {}))
    await Promise.all([writer, lock, reader, subscriber].map((client) => ready(client)))
    await writer.set('k', 'before')
    await set.master.kill()
    await Promise.all([goesOn(writer, 'k'), goesOn(lock, 'l')])
    expect(await set.masterPort()).toBe(set.replica.port)
    // The sentinel was there all the time; it is the master that did not answer.
    expect(told.filter((message) => message.includes('sentinels'))).toEqual([])
    expect(told).not.toEqual([])
    await ready(reader)
    const reading = reader.xread('BLOCK', 4_000, 'STREAMS', 's', '0')
    await writer.xadd('s', '*', 'a', 'b')
    expect(await reading).not.toBeNull()
    await eventually(async () => {
      await writer.publish('news', 'hello')
      return heard.includes('hello')
    })
  })

  it('a frozen master is given up, not waited for', async ({ onTestFinished }) => {
    const { use, connect } = scene(onTestFinished)
    const set = use(await startSentinel())
    // A role with short patience; that of a writer is the same, and longer.
    const lock = connect(set.url, 'lock')
    await ready(lock)
    set.master.pause()
    await goesOn(lock, 'k')
    expect(await set.masterPort()).toBe(set.replica.port)
    set.master.resume()
  })

  it('who looks for the next master closes without a listener for each try', async ({ onTestFinished }) => {
    const { use, connect } = scene(onTestFinished)
    const set = use(await startSentinel())
    const [writer, sentinel] = [
      connect(set.url, 'writer'),
      connect(`redis://127.0.0.1:${set.sentinels[0]}`, 'writer'),
    ]
    await Promise.all([ready(writer), ready(sentinel)])
    const pid = Number(/process_id:(\d+)/.exec(await sentinel.info('server'))![1])
    const { stream } = nodesOf(writer)[0]!
    process.kill(pid, 'SIGSTOP')
    await set.master.kill()
    await eventually(() => writer.status === 'connecting')
    // The socket is the last one until there is a next.
    const before = stream.listenerCount('close')
    await closeRedis(writer)
    expect(stream.listenerCount('close')).toBe(before + 1)
    process.kill(pid, 'SIGCONT')
  })
})

describe.concurrent('a cluster', () => {
  it('loses one master: the others answer meanwhile, and its replica takes its slots', async ({
    onTestFinished,
  }) => {
    const { use, connect } = scene(onTestFinished)
    const cluster = use(await startCluster({ replica: true }))
    const writer = connect(cluster.url, 'writer')
    const reader = connect(cluster.url, 'reader', FIRST)
    await Promise.all([ready(writer), ready(reader)])
    await Promise.all([writer.set(FIRST, 'before'), writer.set(LAST, 'before')])
    const replicated = () => cluster.tell(cluster.replica!, 'dbsize')
    await eventually(async () => (await replicated()) === 1)
    // Frozen, not killed: its connections stay open and say nothing.
    cluster.masters[0]!.pause()
    expect(await writer.get(LAST)).toBe('before')
    const lock = connect(cluster.url, 'lock')
    await ready(lock)
    await goesOn(lock, FIRST)
    expect(onNodeOf(lock, FIRST).options.port).toBe(cluster.replica!.port)
    await cluster.masters[0]!.kill()
    await goesOn(writer, FIRST)
    expect(await eventually(() => reader.get(FIRST))).toBe('after')
  })
})

describe.concurrent('one server', () => {
  it.for([
    ['writes', 'READONLY', (writer: Redis) => writer.set('k', 'v')],
    ['to wait for replicas', 'WAIT cannot be used with replica', (writer: Redis) => writer.wait(1, 100)],
  ] as const)(
    'that was made a replica refuses %s, and is asked for a new connection',
    async ([, refusal, ask], { onTestFinished }) => {
      const { use, connect } = scene(onTestFinished)
      const [one, other] = [use(await startRedis()), use(await startRedis())]
      const writer = connect(one.url, 'writer')
      await ready(writer)
      const before = await writer.client('ID')
      const admin = connect(one.url, 'jobs')
      await admin.replicaof('127.0.0.1', other.port)
      const error = await ask(writer).catch((reason: unknown) => reason)
      expect(String(error)).toContain(refusal)
      expect(redisError(error, one.url)).toMatchObject({ code: 'REDIS_UNAVAILABLE' })
      await admin.replicaof('NO', 'ONE')
      await goesOn(writer, 'k')
      expect(await writer.client('ID')).not.toBe(before)
    },
  )

  it('that refuses all that was under way ends the connection once', async ({ onTestFinished }) => {
    const { use, connect } = scene(onTestFinished)
    const [one, other] = [use(await startRedis()), use(await startRedis())]
    const writer = connect(one.url, 'writer')
    await ready(writer)
    const admin = connect(one.url, 'jobs')
    await admin.replicaof('127.0.0.1', other.port)
    const { stream } = nodesOf(writer)[0]!
    const listeners = stream.listenerCount('close')
    const closed = new Promise<number>((resolve) => {
      // Before all others, which remove themselves.
      stream.prependListener('close', () => resolve(stream.listenerCount('close') - 1))
    })
    const refused = Array.from({ length: 20 }, (_, i) => writer.set(`k${i}`, 'v'))
    for (const { reason } of (await Promise.allSettled(refused)) as PromiseRejectedResult[]) {
      expect(String(reason)).toContain('READONLY')
    }
    expect(await closed).toBe(listeners + 1)
  })

  it('that is gone holds up no close, whatever the role', async ({ onTestFinished }) => {
    const { use, connect } = scene(onTestFinished)
    const server = use(await startRedis())
    const clients = (['writer', 'jobs', 'subscriber'] as const).map((role) => connect(server.url, role))
    await Promise.all(clients.map((client) => ready(client)))
    await server.kill()
    await eventually(() => clients.every(({ status }) => status === 'reconnecting'))
    const unanswered = clients.map((client) => expect(client.get('k')).rejects.toThrow())
    await Promise.all(clients.map(closeRedis))
    await Promise.all(unanswered)
    expect(clients.map(({ status }) => status)).toEqual(['end', 'end', 'end'])
  })
})
