// Dead letters looked through page by page, mended and put back; on a real server.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type DeadLetter, outgoing, Reject } from '../../src/bus/index.ts'
import { closeRedis, connectRedis, onNodeOf, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, type NumberStream, numberStream, numbers, openNotingBus, start } from './rig.ts'

let redis: TestRedis
let client: Redis
let bus: NotingBus

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
  bus = openNotingBus(redis.url)
})
afterAll(async () => {
  await Promise.all([bus.close(), closeRedis(client)])
  await redis.stop()
})

/** Two groups; `strict` gives up every entry, `mild` those of one key. Resolves with how many there are. */
async function bury(stream: NumberStream, keys: number, each: number): Promise<number> {
  const consumers = ['strict', 'mild'].map((group) =>
    start(
      bus.consume({
        stream,
        group,
        order: 'none',
        async handle({ data }) {
          if (group === 'strict' || data.key === 'k0') throw new Reject('never')
        },
      }),
    ),
  )
  await bus.publish(numbers(stream, keys, each))
  const total = keys * each + each
  await eventually(async () => (await bus.status(stream)).deadLetters === total)
  await Promise.all(consumers.map((consumer) => consumer.stop()))
  return total
}

const sentBytes = async () => Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))![1])

const names = (letters: readonly DeadLetter[]) => letters.map(({ entry }) => entry)

it('comes page by page, newest first, each letter once, also when many are of one moment', async () => {
  const stream = numberStream()
  const total = await bury(stream, 8, 20)
  // Letters of one moment in several partitions: a page may end between them.
  for (let partition = 0; partition < 4; partition++) {
    for (const id of ['1-1', '1-2'])
      await client.xadd(
        `{${stream.name}:${partition}}:dead`,
        id.replace(/^1/, '9'.repeat(14)),
        'group',
        'strict',
      )
  }
  const whole = await bus.deadLetters(stream, 1_000)
  expect(whole).toHaveLength(total + 8)
  for (const size of [1, 7, 50]) {
    const paged: DeadLetter[] = []
    for (let before: string | undefined; ; before = paged.at(-1)!.entry) {
      const page = await bus.deadLetters(stream, size, { before })
      paged.push(...page)
      if (page.length < size) break
    }
    expect(names(paged)).toEqual(names(whole))
  }
  expect(new Set(names(whole)).size).toBe(whole.length)
})

it('is listed for one group however rare its letters are', async () => {
  const stream = numberStream({ partitions: 1 })
  await bury(stream, 30, 10)
  const mild = await bus.deadLetters(stream, 1_000, { group: 'mild' })
  expect(mild).toHaveLength(10)
  expect(new Set(mild.map(({ key }) => key))).toEqual(new Set(['k0']))
  const [first, second] = await bus.deadLetters(stream, 2, { group: 'mild' })
  expect(names(await bus.deadLetters(stream, 1, { group: 'mild', before: first!.entry }))).toEqual([
    second!.entry,
  ])
  // Many more on top, of which nothing needs to leave the server.
  const more = onNodeOf(client, 'any').pipeline()
  for (let i = 0; i < 1_200; i++) {
    more.xadd(`{${stream.name}:0}:dead`, '*', 'group', 'strict', 'data', 'x'.repeat(1_000))
  }
  await more.exec()
  const before = await sentBytes()
  expect(await bus.deadLetters(stream, 1_000, { group: 'mild' })).toEqual(mild)
  expect(await bus.deadLetters(stream, 10, { group: 'nobody' })).toEqual([])
  expect((await sentBytes()) - before).toBeLessThan(50_000)
  await expect(bus.deadLetters(stream, 10, { before: 'x' })).rejects.toMatchObject({ code: 'USAGE' })
})

it('is shown by its name, and no longer once it was dropped', async () => {
  const stream = numberStream({ partitions: 1 })
  await bury(stream, 1, 2)
  const [letter] = await bus.deadLetters(stream, 1)
  expect(await bus.deadLetter(stream, letter!.entry)).toEqual(letter)
  expect(await bus.dropDeadLetter(stream, letter!.entry)).toBe(true)
  expect(await bus.deadLetter(stream, letter!.entry)).toBeUndefined()
  await expect(bus.deadLetter(stream, '1/0-1')).rejects.toMatchObject({ code: 'USAGE' })
})

it('is not put back with another key, too large, of another shape, or for a group that is gone', async () => {
  const stream = numberStream({ partitions: 1, maxPayloadBytes: 200 })
  await bury(stream, 1, 1)
  const letter = (await bus.deadLetters(stream, 10)).find(({ group }) => group === 'strict')!
  const replay = (data?: string) => bus.replayDeadLetter(stream, letter.entry, data)
  await expect(replay('{"key":"k1","n":1}')).rejects.toMatchObject({
    code: 'PAYLOAD_INVALID',
    message: expect.stringContaining('an entry of k0'),
  })
  await expect(replay('{"key":"k0","n":"1"}')).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
  await expect(replay('{')).rejects.toMatchObject({ code: 'PAYLOAD_INVALID' })
  await expect(replay(`{"key":"k0","n":1${' '.repeat(200)}}`)).rejects.toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
  })
  await client.xgroup('DESTROY', `{${stream.name}:0}`, 'strict')
  await client.srem(`groups:${stream.name}`, 'strict')
  await expect(replay()).rejects.toMatchObject({ code: 'GROUP_UNKNOWN' })
  expect(await bus.deadLetter(stream, letter.entry)).toEqual(letter)
})

it('of an outside program without a key takes the key of its mended payload', async () => {
  const stream = numberStream({ partitions: 1 })
  const keys: string[] = []
  const consumer = start(
    bus.consume({ stream, group: 'g', order: 'key', handle: async ({ key }) => void keys.push(key) }),
  )
  await client.xadd(`{${stream.name}:0}`, '*', 'data', '{"key":5}')
  const [letter] = await eventually(async () => {
    const letters = await bus.deadLetters(stream, 1)
    return letters.length === 1 ? letters : undefined
  })
  await bus.publish([outgoing(stream, 'other', { key: 'b', n: 1 })])
  expect(await bus.replayDeadLetter(stream, letter!.entry, '{"key":"a","n":1}')).toBe(true)
  await eventually(() => keys.length === 2)
  expect(keys).toEqual(['b', 'a'])
  await consumer.stop()
})
