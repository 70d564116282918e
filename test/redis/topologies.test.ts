// Each role against one server, a master under Sentinel, and a cluster: the same manners everywhere.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspectRedis } from '../../src/cli/inspect-redis.ts'
import { describeRedis, judgeRedis } from '../../src/cli/judge-redis.ts'
import {
  closeRedis,
  connectRedis,
  defineScript,
  hasCommand,
  nodesOf,
  onNodeOf,
  type Role,
  ready,
  redisError,
  runScript,
} from '../../src/redis/index.ts'
import { slotOf } from '../../src/redis/slots.ts'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { sluice } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { startSentinel, type TestSentinel } from '../support/sentinel.ts'

const ROLES: readonly Role[] = ['writer', 'reader', 'subscriber', 'cache', 'lock', 'jobs']

let single: TestRedis
let sentinel: TestSentinel
let cluster: TestCluster

beforeAll(async () => {
  ;[single, sentinel, cluster] = await Promise.all([startRedis(), startSentinel(), startCluster()])
})
afterAll(() => Promise.all([single?.stop(), sentinel?.stop(), cluster?.stop()]))

describe.each([
  ['one server', () => single.url, () => [single]],
  ['a master under Sentinel', () => sentinel.url, () => [sentinel.master]],
  ['a cluster', () => cluster.url, () => cluster.masters],
] as const)('%s', (_, url, servers) => {
  it.each(ROLES)('serves the role %s, and closes at once in every state', async (role) => {
    const client = connectRedis(url(), role, { key: 'k' })
    await ready(client)
    // The first command of a cache may be late on a busy machine, and then it is no answer.
    await eventually(() => client.set('k', role))
    expect(await eventually(() => client.get('k'))).toBe(role)
    await closeRedis(client)

    const waiting = connectRedis(url(), role)
    await closeRedis(waiting)
    const connecting = connectRedis(url(), role)
    connecting.connect().catch(() => {})
    await closeRedis(connecting)
    await expect(connecting.get('k')).rejects.toThrow()
  })

  it.each(['writer', 'reader'] as const)(
    'a %s that is told to reconnect while it connects still connects',
    async (role) => {
      const client = connectRedis(url(), role, { key: 'k' })
      let times = 0
      client.on('connecting', () => {
        times++
        client.disconnect(true)
      })
      client.connect().catch(() => {})
      client.disconnect(true)
      await ready(client)
      client.disconnect(true)
      await eventually(() => times === 2)
      await eventually(() => client.exists('k').then(() => true))
      await closeRedis(client)
    },
  )

  it('answers commands without a key, and knows what its servers can do', async () => {
    const client = connectRedis(url(), 'writer')
    await ready(client)
    expect(await client.ping()).toBe('PONG')
    expect(await client.time()).toHaveLength(2)
    expect(await client.info('server')).toContain('redis_version')
    expect(await hasCommand(client, 'XAUTOCLAIM')).toBe(true)
    expect(await hasCommand(client, 'XNEVER')).toBe(false)
    const { length } = servers()
    expect(nodesOf(client)).toHaveLength(length)
    await closeRedis(client)
  })

  it('runs a script that its servers have forgotten', async () => {
    const client = connectRedis(url(), 'writer')
    await ready(client)
    const script = defineScript("return redis.call('INCR', KEYS[1])")
    await client.del('count')
    expect(await runScript(client, script, ['count'], [])).toBe(1)
    await onNodeOf(client, 'count').script('FLUSH')
    expect(await runScript(client, script, ['count'], [])).toBe(2)
    await closeRedis(client)
  })

  it('tells the refusal inside of a script by its own code', async () => {
    const client = connectRedis(url(), 'writer')
    await ready(client)
    await client.set('text', 'v')
    const called = defineScript("return redis.call('INCR', KEYS[1])")
    const wrong = defineScript("return redis.call('XLEN', KEYS[1])")
    await expect(runScript(client, called, ['text'], [])).rejects.toThrow(/^ERR value is not an integer/)
    await expect(runScript(client, wrong, ['text'], [])).rejects.toThrow(/^WRONGTYPE /)
    await closeRedis(client)
  })

  it('wakes a blocked reader, and a reader that is closed does not wait', async () => {
    const writer = connectRedis(url(), 'writer')
    const reader = connectRedis(url(), 'reader', { key: '{s}:0' })
    await Promise.all([ready(writer), ready(reader)])
    const read = () => reader.xread('BLOCK', 5_000, 'STREAMS', '{s}:0', '$')
    const reading = read()
    const isBlocked = async () =>
      (await onNodeOf(writer, '{s}:0').info('clients')).includes('blocked_clients:1')
    await eventually(isBlocked)
    await writer.xadd('{s}:0', '*', 'a', 'b')
    expect(JSON.stringify(await reading)).toContain('["a","b"]')
    const cut = expect(read()).rejects.toThrow()
    await closeRedis(reader)
    await cut
    await closeRedis(writer)
  })

  it('hears in order what is published on the node of the channel', async () => {
    const writer = connectRedis(url(), 'writer')
    const subscriber = connectRedis(url(), 'subscriber', { key: 'news' })
    const heard: string[] = []
    subscriber.on('message', (_channel: string, text: string) => heard.push(text))
    await Promise.all([ready(writer), subscriber.subscribe('news')])
    for (const text of ['1', '2', '3']) await onNodeOf(writer, 'news').publish('news', text)
    // The answer to a question on the same connection comes after every message before it.
    await subscriber.exists('news')
    expect(heard).toEqual(['1', '2', '3'])
    await Promise.all([closeRedis(writer), closeRedis(subscriber)])
  })

  it('sends nothing again that was cut off before its answer', async () => {
    const client = connectRedis(url(), 'writer')
    await ready(client)
    await client.del('once')
    const node = onNodeOf(client, 'once')
    for (const server of servers()) server.pause()
    const adding = client.xadd('once', '*', 'a', '1').then(
      () => undefined,
      (error: unknown) => error,
    )
    node.disconnect(true)
    const error = await adding
    for (const server of servers()) server.resume()
    expect(redisError(error, url())).toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    const length = await eventually(async () => (await client.xlen('once')) || undefined)
    expect(length).toBe(1)
    await closeRedis(client)
  })

  it('refuses at once while it is away, naming the place without its password', async () => {
    const away = url().replace(/\/\/[^/]*/, '//me:secret@127.0.0.1:1')
    const client = connectRedis(away, 'writer')
    const refused = client.set('k', 'v').catch((error: unknown) => redisError(error, away))
    expect(await refused).toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    const late = await ready(client, 300).catch((error: unknown) => error)
    expect(late).toMatchObject({ code: 'REDIS_UNAVAILABLE' })
    expect(String(late) + String(await refused)).toContain('127.0.0.1:1')
    expect(String(late) + String(await refused)).not.toContain('secret')
    await closeRedis(client)
  })
})

describe('what is found behind an address', () => {
  const judge = async (url: string) => judgeRedis(url, await inspectRedis(url, 5_000))

  it('names the topology and every server', async () => {
    expect(describeRedis(await inspectRedis(single.url, 5_000))).toMatch(
      /^one server, version \d.*noeviction, AOF on$/,
    )
    expect(describeRedis(await inspectRedis(sentinel.url, 5_000))).toMatch(
      /^a master under Sentinel with 1 replica,/,
    )
    expect(describeRedis(await inspectRedis(cluster.url, 5_000))).toMatch(
      /^a cluster of 3 masters and 0 replicas,/,
    )
    expect([await judge(single.url), await judge(cluster.url)]).toEqual([[], []])
  })

  it('warns of a server that confirms before it has written', async () => {
    const hasty = await startRedis(['--appendfsync', 'everysec'])
    expect(await judge(hasty.url)).toEqual([expect.stringContaining('appendfsync everysec')])
    await hasty.stop()
  })

  it('warns of a master that a failover would make lose writes', async () => {
    expect(await judge(sentinel.url)).toEqual([expect.stringContaining('min-replicas-to-write')])
  })

  it('refuses an address that names another topology, with what to write', async () => {
    await expect(judge(cluster.masters[0]!.url)).rejects.toThrow('redis+cluster://')
    await expect(judge(`redis://127.0.0.1:${sentinel.sentinels[0]}`)).rejects.toThrow('redis+sentinel://')
    await expect(judge(sentinel.replica.url)).rejects.toThrow('is a replica')
  })

  it('is told by the doctor, of the servers for locks too', async () => {
    const env = {
      DATA_DIR: join(tmpdir(), 'sluice-doctor'),
      REDIS_URL: cluster.url,
      REDIS_LOCK_URLS: `${single.url}, ${sentinel.url}, redis://me:secret@127.0.0.1:1`,
    }
    const { code, stdout } = await sluice(['doctor'], { env }).ended
    expect(stdout).toMatch(/^ok +redis +.* is a cluster of 3 masters and 0 replicas/m)
    expect(stdout).toMatch(/^ok +locks +.* is one server.*\nok +locks +.* is a master under Sentinel/m)
    expect(stdout).toMatch(/^fail +locks +.*127\.0\.0\.1:1 did not answer/m)
    expect([code, stdout.includes('secret')]).toEqual([1, false])
  })

  it('refuses a cluster of which one node may evict', async () => {
    const [, evicting] = cluster.masters
    await cluster.tell(evicting!, 'config', 'set', 'maxmemory-policy', 'allkeys-lru')
    await expect(judge(cluster.url)).rejects.toThrow(`${evicting!.port} has maxmemory-policy allkeys-lru`)
    await cluster.tell(evicting!, 'config', 'set', 'maxmemory-policy', 'noeviction')
  })
})

describe('the slots of a cluster', () => {
  it('are computed as the servers do', async () => {
    const text = fc.oneof(
      fc.string(),
      fc.string().map((tag) => `a{${tag}}b`),
      fc.constantFrom('{}a', '{a', 'é{ü}'),
    )
    await fc.assert(
      fc.asyncProperty(text, async (key) => {
        expect(slotOf(key)).toBe(await cluster.tell(cluster.masters[0]!, 'cluster', 'keyslot', key))
      }),
      { numRuns: 60 },
    )
  })

  it('give each key its node, whose connection answers for it', async () => {
    const client = connectRedis(cluster.url, 'writer')
    await ready(client)
    const keys = Array.from({ length: 16 }, (_, p) => `{s:${p}}`)
    const nodes = keys.map((key) => onNodeOf(client, key))
    expect(await Promise.all(nodes.map((node, i) => node.exists(keys[i]!)))).toEqual(keys.map(() => 0))
    expect(new Set(nodes)).toEqual(new Set(nodesOf(client)))
    await closeRedis(client)
  })

  it('may move: the writer, single nodes and readers follow', async () => {
    const client = connectRedis(cluster.url, 'writer')
    const reader = connectRedis(cluster.url, 'reader', { key: 'moving' })
    await Promise.all([ready(client), ready(reader)])
    const before = onNodeOf(client, 'moving')
    const from = cluster.masters.find(({ port }) => port === before.options.port)!
    const to = cluster.masters.find((master) => master !== from)!
    const slot = slotOf('moving')
    await client.set('moving', 'on its way')
    await cluster.tell(
      to,
      'cluster',
      'setslot',
      slot,
      'importing',
      String(await cluster.tell(from, 'cluster', 'myid')),
    )
    await cluster.tell(
      from,
      'cluster',
      'setslot',
      slot,
      'migrating',
      String(await cluster.tell(to, 'cluster', 'myid')),
    )
    await cluster.tell(from, 'migrate', '127.0.0.1', to.port, 'moving', 0, 5_000)
    expect(await client.get('moving')).toBe('on its way')
    await expect(reader.get('moving')).rejects.toThrow('ASK')
    await cluster.moveSlot(slot, to)
    await expect(before.get('moving')).rejects.toThrow('MOVED')
    // It may be connected to the new owner by now.
    await reader.get('moving').catch((error: unknown) => expect(String(error)).toMatch(/MOVED|writeable/))
    await client.set('moving', 'there')
    expect(await eventually(() => onNodeOf(client, 'moving').get('moving'))).toBe('there')
    expect(onNodeOf(client, 'moving').options.port).toBe(to.port)
    expect(await eventually(() => reader.get('moving'))).toBe('there')
    await Promise.all([closeRedis(client), closeRedis(reader)])
  })
})
