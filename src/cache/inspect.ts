// What a person sees of the level in Redis. Reads only, a little at a time, and takes no part in anything.
import { onNodeOf, type Redis, type RedisNode } from '../redis/index.ts'
import type { Spot } from './entries.ts'
import { answerKey, epochPrefix, loadKey, META, readAnswer, readKey, tagsKey } from './keys.ts'
import { tagsText } from './remote.ts'

export interface CacheFacts {
  /** Empty while nobody has used the cache since the server began. */
  readonly epoch: string
  /** Drops told under this epoch. */
  readonly told: number
  readonly tags: number
  readonly views: readonly ViewFacts[]
}

export interface ViewFacts {
  readonly view: string
  /** Of all versions. */
  readonly answers: number
  /** None yet, and somebody loads it. */
  readonly loading: number
  /** None, because loading it failed a moment ago. */
  readonly failed: number
}

export interface EntryFacts {
  /** JSON; undefined while there is none that may be given, empty for an answer that is undefined. */
  readonly value: string | undefined
  /** Until a new one is due, ms; negative when it is given within its grace. */
  readonly freshMs: number
  /** Until Redis forgets it, ms. */
  readonly leftMs: number
  /** How long nobody else may load it, ms; 0 when nobody does. */
  readonly leaseMs: number
  /** Why the last load failed, JSON. */
  readonly error: string | undefined
}

const SCAN_COUNT = 1_000
/** How what a load key holds begins when it has failed. */
const FAILED = '!'

export async function inspectCache(client: Redis): Promise<CacheFacts> {
  const node = onNodeOf(client, META)
  const [epoch, told] = await node.hmget(META, 'epoch', 'sequence')
  if (!epoch) return { epoch: '', told: 0, tags: 0, views: [] }
  const views = new Map<string, { answers: number; loading: number; failed: number }>()
  let cursor = '0'
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', `${epochPrefix(epoch)}*`, 'COUNT', SCAN_COUNT)
    cursor = next
    const kinds = await Promise.all(keys.map((key) => kindOf(node, epoch, key)))
    for (const [i, key] of keys.entries()) {
      const place = readKey(epoch, key)?.place
      const kind = kinds[i]
      if (place === undefined || !kind) continue
      const view = place.slice(0, place.indexOf(':'))
      const facts = views.get(view) ?? { answers: 0, loading: 0, failed: 0 }
      views.set(view, facts)
      facts[kind]++
    }
  } while (cursor !== '0')
  const rows = [...views].map(([view, facts]) => ({ view, ...facts }))
  return {
    ...{ epoch, told: Number(told ?? 0), tags: await node.hlen(tagsKey(epoch)) },
    views: rows.sort((a, b) => (a.view < b.view ? -1 : 1)),
  }
}

/** Undefined for the tags, and for a load beside an answer. */
async function kindOf(node: RedisNode, epoch: string, key: string) {
  const read = readKey(epoch, key)
  if (!read?.isLoad) return read && 'answers'
  const [hasAnswer, begin] = await Promise.all([
    node.exists(answerKey(epoch, read.place, read.version)),
    node.getrange(key, 0, 0),
  ])
  if (hasAnswer || begin === '') return undefined
  return begin === FAILED ? 'failed' : 'loading'
}

/** What Redis holds for one answer of that version of its shape; undefined when that is nothing. */
export async function inspectEntry(
  client: Redis,
  { place, version, tags }: Spot,
): Promise<EntryFacts | undefined> {
  const node = onNodeOf(client, META)
  const epoch = await node.hget(META, 'epoch')
  if (!epoch) return undefined
  const keys = [answerKey(epoch, place, version), loadKey(epoch, place, version)] as const
  const [stored, load, answerMs, loadMs, time] = await Promise.all([
    ...[node.get(keys[0]), node.get(keys[1])],
    ...[node.pttl(keys[0]), node.pttl(keys[1])],
    node.time(),
  ] as const)
  if (stored === null && load === null) return undefined
  const answer = stored === null ? undefined : readAnswer(stored)
  const isTrue = answer !== undefined && answer.tags === (await presentTags(node, epoch, tags))
  const hasFailed = load?.startsWith(FAILED) === true
  return {
    value: isTrue ? answer.text : undefined,
    freshMs: isTrue ? answer.softEnd - msOf(time) : 0,
    leftMs: Math.max(answerMs, loadMs, 0),
    leaseMs: load === null || hasFailed ? 0 : Math.max(0, loadMs),
    error: hasFailed ? load?.slice(FAILED.length) : undefined,
  }
}

/** What a reader would be given; undefined without an answer, or when one of its tags was dropped since. */
export async function readEntry(
  node: RedisNode,
  epoch: string,
  { place, version, tags }: Spot,
): Promise<string | undefined> {
  const stored = await node.get(answerKey(epoch, place, version))
  const answer = stored === null ? undefined : readAnswer(stored)
  if (!answer) return undefined
  return answer.tags === (await presentTags(node, epoch, tags)) ? answer.text : undefined
}

const msOf = ([seconds, micros]: readonly (string | number)[]) =>
  Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)

/** The versions that an answer under these tags must have. Asked after the answer: tags that are true now were true then. */
async function presentTags(node: RedisNode, epoch: string, tags: readonly string[]): Promise<string> {
  return tags.length === 0 ? '' : tagsText(await node.hmget(tagsKey(epoch), ...tags))
}
