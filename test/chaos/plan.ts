// What a chaos run publishes and what must come of it: everything is a function of the seed and a message's number,
// so that publishers, workers and the checker agree without talking, and a run of a million needs no list.
import { z } from 'zod'
import { defineStream, type Outgoing, outgoing, type Stream } from '../../src/bus/index.ts'

export interface Plan {
  readonly seed: number
  readonly messages: number
  readonly keys: number
  readonly publishers: number
  readonly partitions: number
  /** Hard limit of one partition: publishers must wait for the workers, so that strikes find them at work. */
  readonly maxEntries: number
}

export interface Message {
  /** Its number among all, from 0. */
  readonly i: number
  readonly key: string
  /** Its number among those of its key, from 0. */
  readonly n: number
}

/** stumbles: fails once or twice first. poison: fails always. rejected: is given up at its first attempt. */
export type Kind = 'plain' | 'stumbles' | 'poison' | 'rejected'

/** Pauses before further attempts, ms: short, because a run has thousands of failures. */
export const RETRY_MS = [10, 20, 40] as const
const ATTEMPTS_MAX = RETRY_MS.length + 1

export const ORDERED = 'ordered'
export const LOOSE = 'loose'

export function messageOf({ keys }: Plan, i: number): Message {
  return { i, key: `k${i % keys}`, n: Math.floor(i / keys) }
}

/** The number of the n-th message of a key. */
export const numberOf = ({ keys }: Plan, key: string, n: number): number => n * keys + Number(key.slice(1))

/** A message's keys stay with one publisher, which alone can keep their order. */
export const publisherOf = ({ keys, publishers }: Plan, i: number): number => (i % keys) % publishers

export function kindOf(plan: Plan, i: number): Kind {
  const draw = mixed(plan.seed, i) % 1_000
  if (draw < 4) return 'poison'
  if (draw < 6) return 'rejected'
  return draw < 30 ? 'stumbles' : 'plain'
}

export const isGivenUp = (plan: Plan, i: number): boolean => /^(poison|rejected)$/.test(kindOf(plan, i))

/** How many attempts fail before one succeeds. */
export const stumblesOf = (plan: Plan, i: number): number =>
  kindOf(plan, i) === 'stumbles' ? 1 + (mixed(plan.seed + 1, i) % 2) : 0

/** The attempt after which a message that cannot succeed is given up. */
export const lastAttemptOf = (plan: Plan, i: number): number =>
  kindOf(plan, i) === 'poison' ? ATTEMPTS_MAX : 1

/** The group without order cares for a quarter of the messages; it acknowledges the others. */
export const isForLoose = (i: number): boolean => i % 4 === 0

/** What the ordered group says of a message: by `context.publish`, by the outbox, or nothing. */
export function outputOf(plan: Plan, i: number): 'said' | 'told' | undefined {
  if (isGivenUp(plan, i)) return undefined
  return i % 8 === 2 ? 'said' : i % 8 === 3 ? 'told' : undefined
}

const shape = z.object({ i: z.number().int(), key: z.string(), n: z.number().int() })

export interface ChaosStreams {
  readonly input: Stream<Message>
  readonly said: Stream<Message>
  readonly told: Stream<Message>
}

export function streamsOf({ partitions, maxEntries }: Plan): ChaosStreams {
  const define = (name: string, more: Partial<Stream<Message>>) =>
    defineStream<Message>({
      name: `chaos.${name}`,
      about: 'messages of a chaos run',
      shape,
      key: ({ key }) => key,
      durable: true,
      ...more,
    })
  return {
    input: define('input', { partitions, maxEntries, retentionMs: 1_000 }),
    // Nobody reads these before the end.
    said: define('said', { partitions: 2, maxEntries: 100_000_000 }),
    told: define('told', { partitions: 2, maxEntries: 100_000_000 }),
  }
}

export const eventOf = (stream: Stream<Message>, message: Message, id = `m${message.i}`): Outgoing =>
  outgoing(stream, id, message)

/** Two numbers to 32 even bits. */
function mixed(seed: number, i: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(i + 1, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return (h ^ (h >>> 16)) >>> 0
}
