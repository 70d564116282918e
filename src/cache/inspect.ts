// What a person sees of the level in Redis. Reads only, a little at a time, and takes no part in anything.
import { onNodeOf, type Redis, type RedisNode } from '../redis/index.ts'
import type { Spot } from './entries.ts'
import { entryKey, META, tagsKey } from './keys.ts'
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
  readonly answers: number
  /** Of these: none yet, and somebody loads it. */
  readonly loading: number
  /** Of these: none, because loading it failed a moment ago. */
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

export async function inspectCache(client: Redis): Promise<CacheFacts> {
  const node = onNodeOf(client, META)
  const [epoch, told] = await node.hmget(META, 'epoch', 'sequence')
  if (!epoch) return { epoch: '', told: 0, tags: 0, views: [] }
  const prefix = entryKey(epoch, '')
  const tags = tagsKey(epoch)
  const views = new Map<string, { answers: number; loading: number; failed: number }>()
  let cursor = '0'
  do {
    const [next, keys] = await node.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', SCAN_COUNT)
    cursor = next
    const entries = keys.filter((key) => key !== tags)
    const fields = await Promise.all(entries.map((key) => node.hkeys(key)))
    for (const [i, key] of entries.entries()) {
      const view = key.slice(prefix.length, key.indexOf(':', prefix.length))
      const facts = views.get(view) ?? { answers: 0, loading: 0, failed: 0 }
      views.set(view, facts)
      const has = (field: string) => fields[i]!.some((one) => one.replace(/\d+$/, '') === field)
      if (has('v')) facts.answers++
      else if (has('l')) facts.loading++
      else if (has('e')) facts.failed++
    }
  } while (cursor !== '0')
  const rows = [...views].map(([view, facts]) => ({ view, ...facts }))
  return {
    ...{ epoch, told: Number(told ?? 0), tags: await node.hlen(tags) },
    views: rows.sort((a, b) => (a.view < b.view ? -1 : 1)),
  }
}

/** What Redis holds for one answer of that version of its shape; undefined when that is nothing. */
export async function inspectEntry(
  client: Redis,
  { place, version, tags }: Spot,
): Promise<EntryFacts | undefined> {
  const node = onNodeOf(client, META)
  const epoch = await node.hget(META, 'epoch')
  if (!epoch) return undefined
  const key = entryKey(epoch, place)
  const [fields, leftMs, time] = await Promise.all([
    node.hmget(key, ...['v', 's', 'h', 't', 'l', 'le', 'e', 'ee'].map((field) => `${field}${version}`)),
    node.pttl(key),
    node.time(),
  ])
  if (fields.every((field) => field === null)) return undefined
  const now = msOf(time)
  const [text, softEnd, hardEnd, under, token, leaseEnd, error, errorEnd] = fields
  const isTrue = Number(hardEnd) > now && under === (await presentTags(node, epoch, tags))
  const value = isTrue ? (text ?? undefined) : undefined
  return {
    value,
    freshMs: value === undefined ? 0 : Number(softEnd) - now,
    leftMs,
    leaseMs: token === null ? 0 : Math.max(0, Number(leaseEnd) - now),
    error: error !== null && Number(errorEnd) > now ? (error ?? undefined) : undefined,
  }
}

/** What a reader would be given; undefined without an answer, when it has ended or one of its tags was dropped since. */
export async function readEntry(
  node: RedisNode,
  epoch: string,
  { place, version, tags }: Spot,
): Promise<string | undefined> {
  const [[text, hardEnd, under], time] = await Promise.all([
    node.hmget(entryKey(epoch, place), `v${version}`, `h${version}`, `t${version}`),
    node.time(),
  ])
  // The key may live longer, for another version.
  if (text == null || Number(hardEnd) <= msOf(time)) return undefined
  return under === (await presentTags(node, epoch, tags)) ? text : undefined
}

const msOf = ([seconds, micros]: readonly (string | number)[]) =>
  Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)

/** The versions that an answer under these tags must have. Asked after the answer: tags that are true now were true then. */
async function presentTags(node: RedisNode, epoch: string, tags: readonly string[]): Promise<string> {
  return tags.length === 0 ? '' : tagsText(await node.hmget(tagsKey(epoch), ...tags))
}
