// Who publishes and consumes in bench/bus.ts: ours, the same commands without us, and BullMQ. Each run makes what it
// needs, answers messages a second, and leaves the server empty.
import { Queue, Worker } from 'bullmq'
import { partitionKeys } from '../src/bus/index.ts'
import { closeRedis, connectRedis } from '../src/redis/index.ts'
import { BATCH, inBatches, MESSAGES, payload, readGroup, type Stage } from './bus-stage.ts'

const BULLMQ_MESSAGES = 4_000

/** The fields that an entry of ours has, with values of the same length. */
const ENVELOPE: Readonly<Record<string, string>> = {
  id: 'event-123456',
  source: 'host-name:12345:0123456789abcdef',
  partitionkey: 'k12',
  sequence: '12345',
}
export const OUR_FIELDS: readonly string[] = [...Object.keys(ENVELOPE), 'data']

export async function publish(stage: Stage): Promise<number> {
  const events = stage.events(stage.stream(8), MESSAGES)
  const rate = await rateOf(MESSAGES, () => inBatches(events, (batch) => stage.bus.publish(batch)))
  await stage.empty()
  return rate
}

export async function rawPublish(stage: Stage, fields: readonly string[]): Promise<number> {
  const rate = await fillRaw(stage, fields, [stage.key()])
  await stage.empty()
  return rate
}

function fillRaw({ client }: Stage, fields: readonly string[], keys: readonly string[]): Promise<number> {
  const list = Array.from({ length: MESSAGES }, (_, n) => JSON.stringify(payload(n)))
  let turn = 0
  return rateOf(MESSAGES, () =>
    inBatches(list, (batch) => {
      const pipeline = client.pipeline()
      for (const data of batch) pipeline.xadd(keys[turn++ % keys.length]!, '*', ...entryOf(fields, data))
      return pipeline.exec()
    }),
  )
}

const entryOf = (fields: readonly string[], data: string) =>
  fields.flatMap((field) => [field, field === 'data' ? data : ENVELOPE[field]!])

export async function consume(
  stage: Stage,
  order: 'key' | 'none',
  partitions: number,
  concurrency = 100,
): Promise<number> {
  const { bus } = stage
  const stream = stage.stream(partitions)
  await inBatches(stage.events(stream, MESSAGES), (batch) => bus.publish(batch))
  const stop = new AbortController()
  const all = Promise.withResolvers<void>()
  let seen = 0
  let ended: Promise<void> = Promise.resolve()
  const rate = await rateOf(MESSAGES, () => {
    const handle = async () => {
      if (++seen === MESSAGES) all.resolve()
    }
    ended = bus.consume({ stream, group: 'g', order, concurrency, handle })(stop.signal)
    return all.promise
  })
  stop.abort()
  await ended
  await stage.empty()
  return rate
}

/** Without `fields` it reads what we publish. */
export async function rawConsume(
  stage: Stage,
  partitions: number,
  fields?: readonly string[],
): Promise<number> {
  const { client, reader } = stage
  const stream = stage.stream(partitions)
  const keys = Array.from({ length: partitions }, (_, p) => partitionKeys(stream.name, p).entries)
  if (fields) await fillRaw(stage, fields, keys)
  else await inBatches(stage.events(stream, MESSAGES), (batch) => stage.bus.publish(batch))
  await Promise.all(keys.map((key) => client.xgroup('CREATE', key, 'g', '0', 'MKSTREAM')))
  let seen = 0
  const rate = await rateOf(MESSAGES, async () => {
    while (seen < MESSAGES) {
      const acknowledged = (await readGroup(reader, keys)).map(([key, entries]) => {
        seen += entries.length
        return client.xack(key, 'g', ...entries.map(([id]) => id))
      })
      await Promise.all(acknowledged)
    }
  })
  await stage.empty()
  return rate
}

export async function bullmq(stage: Stage): Promise<number> {
  const own = connectRedis(stage.url, 'jobs')
  const its = connectRedis(stage.url, 'jobs')
  const queue = new Queue('bench', { connection: own as never })
  for (let n = 0; n < BULLMQ_MESSAGES; n += BATCH) {
    await queue.addBulk(Array.from({ length: BATCH }, (_, i) => ({ name: 'm', data: payload(n + i) })))
  }
  const all = Promise.withResolvers<void>()
  let seen = 0
  let worker: Worker | undefined
  const rate = await rateOf(BULLMQ_MESSAGES, () => {
    const handle = async () => {
      if (++seen === BULLMQ_MESSAGES) all.resolve()
    }
    worker = new Worker('bench', handle, { connection: its as never, concurrency: 50 })
    return all.promise
  })
  await worker?.close()
  await queue.close()
  await Promise.all([closeRedis(own), closeRedis(its)])
  await stage.empty()
  return rate
}

async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (count / (performance.now() - began)) * 1_000
}
