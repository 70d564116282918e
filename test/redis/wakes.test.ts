// Wake-ups on a real server: what reaches whom, over how many connections, and after a connection was cut.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/index.ts'
import { closeRedis, connectRedis, openWakes, type Redis, ready, type Wakes } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'

let redis: TestRedis
let client: Redis
let opened: Wakes[] = []

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
})
afterEach(async () => {
  await Promise.all(opened.map((wakes) => wakes.close()))
  opened = []
})
afterAll(async () => {
  await closeRedis(client)
  await redis.stop()
})

function open(): Wakes {
  const wakes = openWakes({ urls: [redis.url], clock: systemClock, name: 'wakes', onError: () => {} })
  opened.push(wakes)
  return wakes
}

const connections = async () =>
  String(await client.call('CLIENT', 'LIST')).split('name=sluice:wakes').length - 1

describe('a watched channel', () => {
  it('tells each of its watchers the text, and nobody that of another channel', async () => {
    const wakes = open()
    const heard: string[] = []
    const note = (who: string) => (_: number, text?: string) => void (text && heard.push(`${who}: ${text}`))
    const watched = [
      wakes.watch('one', note('first')),
      wakes.watch('one', note('second')),
      wakes.watch('two', note('third')),
    ]
    await eventually(() => watched.every((wake) => wake.confirmed() === 1))
    await client.publish('one', 'hello')
    await client.publish('two', 'there')
    await eventually(() => heard.length === 3)
    expect(heard.sort()).toEqual(['first: hello', 'second: hello', 'third: there'])
    expect(await connections()).toBe(1)
  })

  it('is left when its last watcher closes', async () => {
    const wakes = open()
    const [one, two] = [wakes.watch('left'), wakes.watch('left')]
    await eventually(() => one.confirmed() === 1)
    one.close()
    expect(await client.publish('left', 'still heard')).toBe(1)
    two.close()
    await eventually(async () => (await client.publish('left', 'not heard')) === 0)
  })

  it('ends a wait also when the message came before it', async () => {
    let isHeard = false
    const wake = open().watch('early', (_, text) => {
      isHeard ||= text === 'now'
    })
    await eventually(() => wake.confirmed() === 1)
    await wake.next(0)
    await client.publish('early', 'now')
    await eventually(() => isHeard)
    // An hour, if the message were forgotten.
    await wake.next(3_600_000)
    expect(isHeard).toBe(true)
  })

  it('is confirmed again, and says so, after its connection was cut', async () => {
    let confirmations = 0
    const wake = open().watch('cut', (_, text) => {
      if (text === undefined) confirmations++
    })
    await eventually(() => wake.confirmed() === 1)
    const before = confirmations
    await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually(() => confirmations > before)
    expect(wake.confirmed()).toBe(1)
    expect(await client.publish('cut', 'heard')).toBe(1)
  })
})
