// What replicas have confirmed: told of writes on this connection, of nothing else, and in doubt not at all.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  closeRedis,
  confirmWrites,
  connectRedis,
  onNodeOf,
  type Redis,
  ready,
} from '../../src/redis/index.ts'
import { startCluster, type TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { startSentinel, type TestSentinel } from '../support/sentinel.ts'

let pair: TestSentinel
let cluster: TestCluster
let client: Redis
beforeAll(async () => {
  ;[pair, cluster] = await Promise.all([startSentinel(), startCluster({ replica: true })])
  client = connectRedis(pair.url, 'writer')
  await ready(client)
})
afterEach(() => pair.replica.resume())
afterAll(async () => {
  await closeRedis(client)
  await Promise.all([pair.stop(), cluster.stop()])
})

const how = { replicas: 1, timeoutMs: 300, keys: ['confirm'] }

describe('a write', () => {
  it('is confirmed when the replica has it, and not when it stands still', async () => {
    await eventually(async () => (await confirmWrites(client, how, () => client.set('k', 1))).confirmed === 1)
    pair.replica.pause()
    expect(await confirmWrites(client, how, () => client.set('k', 2))).toEqual({ answer: 'OK', confirmed: 0 })
  })

  it('that did nothing on a new connection is not confirmed for what came before it', async () => {
    pair.replica.pause()
    await client.set('k', 3)
    const other = connectRedis(pair.url, 'writer')
    await ready(other)
    expect((await confirmWrites(other, how, () => other.exists('k'))).confirmed).toBe(0)
    await closeRedis(other)
  })

  it('is not confirmed when the connection broke after it', async () => {
    const write = async () => {
      await client.set('k', 4)
      client.disconnect(true)
      await eventually(() => client.status !== 'ready')
      await ready(client)
    }
    expect((await confirmWrites(client, how, write)).confirmed).toBe(0)
    await eventually(async () => (await confirmWrites(client, how, () => client.set('k', 5))).confirmed === 1)
  })

  it('of a cluster is confirmed by the replicas of its own node', async () => {
    const writer = connectRedis(cluster.url, 'writer')
    await ready(writer)
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const [first] = cluster.masters
    const here = keys.find((key) => onNodeOf(writer, key).options.port === first!.port)!
    const there = keys.find((key) => onNodeOf(writer, key).options.port !== first!.port)!
    const confirm = (...on: string[]) =>
      confirmWrites(writer, { ...how, keys: on.map((key) => `{${key}}:confirm`) }, () =>
        writer.set(on[0]!, 1),
      )
    // Only the first master has a replica.
    await eventually(async () => (await confirm(here)).confirmed === 1)
    expect([(await confirm(there)).confirmed, (await confirm(here, there)).confirmed]).toEqual([0, 0])
    await closeRedis(writer)
  })
})
