// Workers as processes of their own, killed and stopped at random moments; on a real server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { closeRedis, connectRedis, type Redis, ready } from '../../src/redis/index.ts'
import { eventually } from '../support/eventually.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type Effect, faultsOf } from './effects.ts'
import {
  type Child,
  type ChildOptions,
  type NotingBus,
  type NumberStream,
  numberStream,
  numbers,
  openNotingBus,
  seeded,
  startChild,
} from './rig.ts'

let redis: TestRedis
let client: Redis
let bus: NotingBus
const children = new Set<Child>()

beforeAll(async () => {
  redis = await startRedis()
  client = connectRedis(redis.url, 'writer')
  await ready(client)
  bus = openNotingBus(redis.url)
})
afterAll(async () => {
  await Promise.all([...children].map((child) => child.kill()))
  await closeRedis(client)
  await bus.close()
  await redis.stop()
})

let childNames = 0
function child(stream: NumberStream, mode: ChildOptions['mode'] = 'consume') {
  const name = `w${childNames++}`
  const { partitions } = stream
  const options = {
    url: redis.url,
    stream: stream.name,
    partitions,
    mode,
    name,
    effects: `done.${stream.name}`,
  }
  const started = startChild(options)
  children.add(started)
  return { ...started, name }
}

const effectsOf = async (stream: NumberStream): Promise<Effect[]> =>
  (await client.lrange(`done.${stream.name}`, 0, -1)).map((line) => JSON.parse(line))

const countOf = (stream: NumberStream) => client.llen(`done.${stream.name}`)
const keysOf = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`)

async function allAcknowledged(stream: NumberStream): Promise<boolean> {
  const { partitions } = await bus.status(stream)
  return partitions.every(({ groups }) => groups.length > 0 && groups.every((group) => group.lag === 0))
}

describe('the checker of effects', () => {
  const run = (name: string, ...ns: number[]): Effect[] => ns.map((n) => ({ name, key: 'k0', n }))

  it('accepts a take-over with repetitions and one late end', () => {
    const good = [...run('a', 0, 1, 2), ...run('b', 1, 2, 3), ...run('a', 3), ...run('b', 4)]
    expect(faultsOf(good, ['k0'], 5)).toEqual([])
  })
  it.each([
    ['a missing number', [...run('a', 0, 1), ...run('b', 2)], 4],
    ['a number left out', run('a', 0, 2), 1],
    ['a new owner that begins too far', [...run('a', 0), ...run('b', 2)], 1],
    ['numbers in the wrong order', run('a', 0, 1, 2, 1), 3],
    ['a former owner that goes on', [...run('a', 0, 1), ...run('b', 2, 3, 4), ...run('a', 2, 3, 4)], 5],
  ])('finds %s', (_, effects, each) => {
    expect(faultsOf(effects, ['k0'], each)).not.toEqual([])
  })
})

it('loses nothing and keeps the order of each key when owners are killed at random moments', async () => {
  const seed = 20261120
  const random = seeded(seed)
  const stream = numberStream()
  await bus.publish(numbers(stream, 12, 250))
  let workers = [child(stream), child(stream)]
  for (let round = 0; round < 3; round++) {
    const at = (await countOf(stream)) + 50 + Math.floor(random() * 400)
    await eventually(async () => (await countOf(stream)) >= Math.min(at, 2_500), {
      what: `seed ${seed}: ${at} effects`,
    })
    const victim = Math.floor(random() * workers.length)
    await workers[victim]!.kill()
    workers = workers.map((worker, i) => (i === victim ? child(stream) : worker))
  }
  await eventually(() => allAcknowledged(stream), { what: 'everything acknowledged' })
  expect(faultsOf(await effectsOf(stream), keysOf(12), 250), `seed ${seed}`).toEqual([])
  await Promise.all(workers.map((worker) => worker.stop()))
})

it('refuses the acknowledgements of an owner that was stopped for longer than its lease', async () => {
  const stream = numberStream()
  const former = child(stream)
  const fenced: unknown[] = []
  former.process.on('message', (message) => fenced.push(message))
  await bus.publish(numbers(stream, 8, 100))
  await eventually(async () => (await countOf(stream)) > 20)
  await bus.publish(numbers(stream, 8, 400, 100))
  former.process.kill('SIGSTOP')
  const before = await countOf(stream)
  const successor = child(stream)
  await eventually(async () => (await countOf(stream)) > before + 500, { what: 'the successor at work' })
  former.process.kill('SIGCONT')
  await eventually(() => fenced.length > 0, { what: 'the former owner refused' })
  await eventually(() => allAcknowledged(stream), { what: 'everything acknowledged' })
  expect(faultsOf(await effectsOf(stream), keysOf(8), 500)).toEqual([])
  await Promise.all([former.stop(), successor.stop()])
})

it('buries an entry that takes the process down, and nothing else', async () => {
  const stream = numberStream({ partitions: 1 })
  await bus.publish([
    ...numbers(stream, 4, 5),
    { ...numbers(stream, 1, 1)[0]!, id: 'poison', data: { key: 'poison', n: 0 } },
    ...numbers(stream, 4, 5, 5),
  ])
  let deaths = 0
  for (let worker = child(stream, 'poisoned'); ; worker = child(stream, 'poisoned')) {
    const died = await Promise.race([
      worker.exited.then(() => true),
      eventually(() => allAcknowledged(stream), { what: 'everything acknowledged' }).then(() => false),
    ])
    if (!died) {
      await worker.stop()
      break
    }
    deaths++
    expect(deaths).toBeLessThanOrEqual(5)
  }
  const letters = await bus.deadLetters(stream, 10)
  expect(letters.map(({ eventId, attempts }) => [eventId, attempts])).toEqual([['poison', 5]])
  const effects = (await effectsOf(stream)).filter(({ key }) => key !== 'poison')
  expect(faultsOf(effects, keysOf(4), 10)).toEqual([])
})

/** What a fold of running sums says, when nothing disturbs it. */
function undisturbed(keys: number, each: number): string[] {
  const said: string[] = []
  for (let n = 0; n < each; n++) for (let k = 0; k < keys; k++) said.push(`k${k}:${(n * (n + 1)) / 2}`)
  return said.sort()
}

/** The sums that were said while the process that folds was killed three times. */
async function foldUnderKills(mode: ChildOptions['mode'], seed: number) {
  const random = seeded(seed)
  const stream = numberStream({ partitions: 2 })
  const sums = numberStream({ name: `${stream.name}.sums`, partitions: 1 })
  const length = () => client.xlen(`{${sums.name}:0}`)
  let worker = child(stream, mode)
  for (let round = 0; round < 3; round++) {
    const target = (await length()) + 20 + Math.floor(random() * 80)
    for (let n = round * 50; n < round * 50 + 50; n += 10) await bus.publish(numbers(stream, 4, 10, n))
    await eventually(async () => (await length()) >= target, { what: `seed ${seed}: ${target} sums` })
    await worker.kill()
    worker = child(stream, mode)
  }
  await eventually(() => allAcknowledged(stream), { what: 'everything acknowledged' })
  await worker.stop()
  const entries = await bus.readBack(sums, 0, '0-0', 10_000)
  return entries.map(({ data }) => `${data.key}:${data.n}`).sort()
}

it('says exactly what an undisturbed fold says when its owners are killed', async () => {
  expect(await foldUnderKills('fold', 7)).toEqual(undisturbed(4, 150))
})

it('would be caught saying things twice if the ids of its outputs were not derived from their cause', async () => {
  expect(await foldUnderKills('fold with random ids', 7)).not.toEqual(undisturbed(4, 150))
})
