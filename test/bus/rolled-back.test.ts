// A replica that is promoted does not know the last that the former master has answered: what an owner had taken over,
// what was delivered to it, what it acknowledged. Here one server forgets the same, and ends its connections as a
// failover does.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { outgoing, partitionKeys } from '../../src/bus/index.ts'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type NotingBus, type NumberStream, numberStream, numbers, openNotingBus, start } from './rig.ts'

let redis: TestRedis
let client: Redis
let bus: NotingBus

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  client = connectRedis(redis.url, 'writer')
  await ready(client)
  // A lease that outlives the test: nothing here is healed by another owner.
  bus = openNotingBus(redis.url, undefined, 30_000)
})
afterEach(async () => {
  await bus.close()
  await closeRedis(client)
})

const pendingOf = async (stream: NumberStream) =>
  (await bus.status(stream)).partitions.reduce((sum, { groups: [group] }) => sum + (group?.pending ?? 0), 0)

/** Ends every connection but the test's own, as a failover does. */
const failOver = () => client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')

/** What was delivered to a consumer that is no more. */
async function leaveBehind(stream: NumberStream, count: number): Promise<string[]> {
  const { entries } = partitionKeys(stream.name, 0)
  await client.xgroup('CREATE', entries, 'g', '0')
  const reply = await client.xreadgroup('GROUP', 'g', 'former', 'COUNT', count, 'STREAMS', entries, '>')
  return (reply as [string, [string, string[]][]][])[0]![1].map(([id]) => id)
}

it('an owner whose take-over is forgotten takes over again before it goes on', async () => {
  const stream = numberStream({ partitions: 1 })
  const { entries } = partitionKeys(stream.name, 0)
  await bus.publish(numbers(stream, 2, 5))
  const held = await leaveBehind(stream, 10)
  await bus.publish(numbers(stream, 2, 5, 5))
  const handled: string[] = []
  await bus.pauseGroup(stream, 'g')
  const running = start(
    bus.consume({
      stream,
      group: 'g',
      order: 'key',
      handle: async ({ data: { key, n } }) => void handled.push(`${key}:${n}`),
    }),
  )
  // Paused, it has taken over and handles nothing yet.
  await eventually(() => bus.said.tookOver.length === 1)
  await client.xclaim(entries, 'g', 'former', 0, ...held, 'JUSTID')
  await failOver()
  await eventually(() => bus.resumeGroup(stream, 'g'), { what: 'the connection is back' })
  await eventually(() => handled.length >= 20 || handled.includes('k0:9'), { what: 'the end of a key' })
  await eventually(() => handled.length >= 20, { what: 'everything is handled' })
  for (const key of ['k0', 'k1']) {
    const of = handled.filter((one) => one.startsWith(key))
    expect(of).toEqual(Array.from({ length: 10 }, (_, n) => `${key}:${n}`))
  }
  await running.stop()
})

it.each(['key', 'none', 'fold'] as const)(
  'what was acknowledged and is forgotten does not stay pending, %s',
  async (mode) => {
    const stream = numberStream({ partitions: 1 })
    const { entries } = partitionKeys(stream.name, 0)
    await bus.publish(numbers(stream, 2, 5))
    let handled = 0
    const task =
      mode === 'fold'
        ? bus.fold({
            ...{ stream, group: 'g', start: () => null, save: () => 'null', load: () => null },
            apply() {
              handled++
              return { events: [] }
            },
          })
        : bus.consume({ stream, group: 'g', order: mode, handle: async () => void handled++ })
    const running = start(task)
    await eventually(async () => handled === 10 && (await pendingOf(stream)) === 0)
    const [consumer] = (await client.xinfo('CONSUMERS', entries, 'g')) as string[][]
    const all = (await client.xrange(entries, '-', '+')).map(([id]) => id)
    await client.xclaim(entries, 'g', consumer![1]!, 0, ...all, 'FORCE', 'JUSTID')
    expect(await pendingOf(stream)).toBe(10)
    await failOver()
    await eventually(async () => (await pendingOf(stream)) === 0, { what: 'nothing is pending' })
    await running.stop()
  },
)

it('a fold goes on from the checkpoint that the server has, and says again what is forgotten', async () => {
  const stream = numberStream({ partitions: 1 })
  const into = numberStream({ partitions: 1 })
  const keys = partitionKeys(stream.name, 0)
  const fold = () =>
    start(
      bus.fold<{ key: string; n: number }, { sum: number }>({
        ...{ stream, group: 'g', start: () => ({ sum: 0 }) },
        apply(state, { id, data }) {
          state.sum += data.n
          return { events: [outgoing(into, id, { key: data.key, n: state.sum })] }
        },
        save: (state) => JSON.stringify(state),
        load: (saved) => JSON.parse(saved),
      }),
    )
  const stateOf = async () => JSON.parse((await client.hget(keys.checkpoint('g'), 'state')) ?? '{}').sum
  await bus.publish(numbers(stream, 1, 5))
  const running = fold()
  await eventually(async () => (await stateOf()) === 10, { what: 'the first checkpoint' })
  const before = await client.hgetall(keys.checkpoint('g'))
  await bus.publish(numbers(stream, 1, 5, 5))
  await eventually(async () => (await stateOf()) === 45, { what: 'the second checkpoint' })
  const { entries, idsNew } = partitionKeys(into.name, 0)
  const sums = async () =>
    (await client.xrange(entries, '-', '+')).map(
      ([, fields]) => JSON.parse(fields[fields.indexOf('data') + 1]!).n,
    )
  // Applied and said, and in no checkpoint yet: what an owner would save at its end.
  await bus.publish(numbers(stream, 1, 1, 10))
  await eventually(async () => (await sums()).length === 11, { what: 'the last is said' })
  // The server forgets the second half: its checkpoint, and what was said of it.
  const said = await client.xrange(entries, '-', '+')
  await client
    .multi()
    .xdel(entries, ...said.slice(5).map(([id]) => id))
    .srem(idsNew, ...Array.from({ length: 6 }, (_, n) => `k0:${5 + n}`))
    .hset(keys.checkpoint('g'), before)
    .exec()
  await failOver()
  await eventually(async () => (await sums()).length === 11, { what: 'everything is said again' })
  expect(await sums()).toEqual([0, 1, 3, 6, 10, 15, 21, 28, 36, 45, 55])
  await running.stop()
})
