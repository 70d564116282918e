// Properties of delivery: everything comes, once, as it was sent, in order of its key, to each group.
import type { OpenBus } from '../../src/bus/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { eventually } from '../support/eventually.ts'
import { type Body, type Letter, letter } from './bus-journal.ts'
import { demand, type Letters, lettersOf, type Trial } from './bus-trial.ts'

const counted = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Each publisher awaits one message after the other, under a key of its own. */
export function publishSideBySide(
  trial: Trial,
  stream: Letters,
  { messages, publishers, handles = 5 }: { messages: number; publishers: number; handles?: number },
): { sent: Letter[]; published: Promise<unknown> } {
  const buses = counted(handles).map(() => trial.open())
  const lists = counted(publishers).map((p) =>
    counted(messages / publishers).map((n) => letter(stream.name, `p${p}`, n)),
  )
  const published = Promise.all(
    lists.map(async (list, p) => {
      for (const one of list) await trial.publish(buses[p % handles]!, stream, [one])
    }),
  )
  return { sent: lists.flat(), published }
}

export async function publishThenSubscribe(trial: Trial, messages = 100): Promise<void> {
  const stream = trial.stream()
  const sent = lettersOf(stream, 10, messages / 10)
  await trial.publish(trial.open(), stream, sent)
  const subscriber = trial.subscribe(stream)
  await trial.settled(stream, sent)
  await subscriber.stop()
  demand(await trial.faults(stream, sent))
}

export async function manyAtOnce(
  trial: Trial,
  { messages, publishers, subscribers } = { messages: 5_000, publishers: 50, subscribers: 50 },
): Promise<void> {
  const stream = trial.stream(8)
  const all = counted(subscribers).map(() => trial.subscribe(stream))
  const { sent, published } = publishSideBySide(trial, stream, { messages, publishers })
  await published
  await trial.settled(stream, sent)
  await Promise.all(all.map((subscriber) => subscriber.stop()))
  demand(await trial.faults(stream, sent))
}

/** The topics carry the same ids and keys; only the text tells them apart. */
export async function manyTopics(trial: Trial, { topics, messages } = { topics: 20, messages: 100 }) {
  const publisher = trial.open()
  const bus = trial.open()
  const prove = async () => {
    const stream = trial.stream()
    const sent = lettersOf(stream, 10, messages / 10)
    await trial.publish(publisher, stream, sent)
    const subscriber = trial.subscribe(stream, { bus })
    await trial.settled(stream, sent)
    await subscriber.stop()
    return trial.faults(stream, sent)
  }
  demand((await Promise.all(counted(topics).map(prove))).flat())
}

export async function topicsAreIsolated(trial: Trial): Promise<void> {
  const bus = trial.open()
  const streams = [trial.stream(), trial.stream()]
  const sent = streams.map((stream) => [letter(stream.name, 'same', 0)])
  for (const [i, stream] of streams.entries()) await trial.publish(bus, stream, sent[i]!)
  const subscribers = streams.map((stream) => trial.subscribe(stream))
  for (const [i, stream] of streams.entries()) await trial.settled(stream, sent[i]!)
  await Promise.all(subscribers.map((subscriber) => subscriber.stop()))
  for (const [i, stream] of streams.entries()) demand(await trial.faults(stream, sent[i]!))
}

/**
 * Subscribers come while half of it is there; a quarter trickles in while partitions change hands; the last quarter
 * finds new owners.
 */
export async function orderOfKeys(
  trial: Trial,
  { messages, keys, subscribers } = { messages: 1_000, keys: 16, subscribers: 10 },
): Promise<void> {
  const stream = trial.stream(16)
  const bus = trial.open()
  const sent = lettersOf(stream, keys, Math.ceil(messages / keys)).slice(0, messages)
  const [half, quarter] = [messages / 2, messages / 4]
  const publish = (from: number, to: number) => trial.publish(bus, stream, sent.slice(from, to))
  await publish(0, half)
  const all = counted(subscribers).map(() => trial.subscribe(stream, { act: () => systemClock.sleep(8) }))
  for (let at = half; at < half + quarter; at += 10) {
    await publish(at, Math.min(at + 10, half + quarter))
    await systemClock.sleep(8)
  }
  await eventually(async () => (await ownersOf(bus, stream, 'loaded')).size >= 3, { what: 'new owners' })
  const before = trial.deeds.length
  await publish(half + quarter, messages)
  await trial.settled(stream, sent)
  await Promise.all(all.map((subscriber) => subscriber.stop()))
  const served = new Set(trial.deeds.slice(before).map(({ by }) => by)).size
  demand(served > 1 ? [] : ['only one subscriber took part'])
  demand(await trial.faults(stream, sent))
}

/**
 * Subscribers join while a handler of each key is under way: idle partitions move, those at work stay until they are
 * done, and then everything behind is done by whoever owns it.
 */
export async function movesWhenDone(trial: Trial, subscribers = 4): Promise<void> {
  const stream = trial.stream(16)
  const bus = trial.open()
  const sent = lettersOf(stream, 10, 2)
  await trial.publish(bus, stream, sent.slice(0, 10))
  const gate = Promise.withResolvers<void>()
  const act = ({ data }: { data: Body }) => (data.n === 0 ? gate.promise : undefined)
  const all = [trial.subscribe(stream, { act })]
  await eventually(() => trial.deeds.length === 10)
  for (let i = 1; i < subscribers; i++) all.push(trial.subscribe(stream, { act }))
  await eventually(async () => (await ownersOf(bus, stream, 'idle')).size > 1, {
    what: 'idle partitions moving',
  })
  await trial.publish(bus, stream, sent.slice(10))
  const early = trial.deeds.slice(10)
  gate.resolve()
  await trial.settled(stream, sent)
  await Promise.all(all.map((subscriber) => subscriber.stop()))
  demand([...early.map(({ id, by }) => `early: ${id} by ${by}`), ...(await trial.faults(stream, sent))])
}

/** Of partitions that hold messages, or of those that hold none. */
async function ownersOf(bus: OpenBus, stream: Letters, which: 'loaded' | 'idle'): Promise<Set<string>> {
  const { partitions } = await bus.status(stream as never)
  const asked = partitions.filter(({ length }) => length > 0 === (which === 'loaded'))
  return new Set(asked.flatMap(({ groups }) => groups.flatMap(({ owner }) => (owner ? [owner] : []))))
}

/** What came behind it proves that the second message of the key was there and was left alone. */
export async function noSecondOfAKey(trial: Trial): Promise<void> {
  const stream = trial.stream(1)
  const sent = [letter(stream.name, 'a', 0), letter(stream.name, 'a', 1), letter(stream.name, 'b', 0)]
  const gate = Promise.withResolvers<void>()
  await trial.publish(trial.open(), stream, sent)
  const subscriber = trial.subscribe(stream, {
    async act({ data: { key, n } }) {
      if (key === 'a' && n === 0) await gate.promise
    },
  })
  await eventually(() => trial.deeds.some(({ key, what }) => key === 'b' && what === 'done'))
  const early = trial.deeds.filter(({ key, n }) => key === 'a' && n === 1)
  gate.resolve()
  await trial.settled(stream, sent)
  await subscriber.stop()
  demand([...early.map(({ id }) => `early: ${id}`), ...(await trial.faults(stream, sent))])
}

/** Groups that come one after the other, each when there is more behind it; trimming in between takes nothing. */
export async function lateGroups(trial: Trial): Promise<void> {
  const stream = trial.stream()
  const publisher = trial.open()
  const sent = [letter(stream.name, 'a', 0)]
  await trial.publish(publisher, stream, sent)
  const groups: string[] = []
  const subscribers = []
  for (let round = 1; round <= 3; round++) {
    const one = letter(stream.name, 'a', round)
    sent.push(one)
    await trial.publish(publisher, stream, [one])
    groups.push(`late${round}`)
    subscribers.push(trial.subscribe(stream, { group: `late${round}` }))
    for (const group of groups) await trial.settled(stream, sent, group)
    await publisher.trim(stream as never)
  }
  await Promise.all(subscribers.map((subscriber) => subscriber.stop()))
  demand(await trial.faults(stream, sent, { groups }))
}

export async function twoGroups(trial: Trial, messages = 50): Promise<void> {
  const stream = trial.stream()
  const groups = ['first', 'second']
  for (const group of groups) await trial.subscribe(stream, { group }).stop()
  const sent = lettersOf(stream, 10, messages / 10)
  await trial.publish(trial.open(), stream, sent)
  const subscribers = groups.map((group) => trial.subscribe(stream, { group }))
  for (const group of groups) await trial.settled(stream, sent, group)
  await Promise.all(subscribers.map((subscriber) => subscriber.stop()))
  demand(await trial.faults(stream, sent, { groups }))
}
